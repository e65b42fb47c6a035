"""Names that released migrations of this app import. The models are in `search.cleanup`, a separate app."""

from __future__ import annotations

from search.cleanup.models import new_job_id, validate_did, validate_types

__all__ = ["new_job_id", "validate_did", "validate_types"]
