"""A client of someone's personal data server."""

from __future__ import annotations

from atsite.core.pds.client import Pds, PdsError, Session

__all__ = ["Pds", "PdsError", "Session"]
