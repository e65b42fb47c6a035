"""A client of a personal data server (PDS)."""

from __future__ import annotations

from atsite.core.pds.answers import PdsError, RateLimit, refusal
from atsite.core.pds.client import Pds
from atsite.core.pds.session import Session
from atsite.core.pds.writes import Create, Delete, RepoCommit, Write, WriteAnswer

__all__ = [
    "Create",
    "Delete",
    "Pds",
    "PdsError",
    "RateLimit",
    "RepoCommit",
    "Session",
    "Write",
    "WriteAnswer",
    "refusal",
]
