"""Names that released migrations of this app import. Its models are those of `search.cleanup`, an app of its own."""

from __future__ import annotations

from search.cleanup.models import new_job_id, validate_collections, validate_did

__all__ = ["new_job_id", "validate_collections", "validate_did"]
