"""A client of a personal data server (PDS)."""

from __future__ import annotations

from atsite.core.pds.client import Pds, PdsError, Session

__all__ = ["Pds", "PdsError", "Session"]
