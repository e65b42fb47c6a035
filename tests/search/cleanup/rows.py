"""Clean-up jobs for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from search.cleanup.models import RepoCleanupJob
from search.cleanup.states import State

CUT_OFF = datetime(2026, 1, 1, tzinfo=UTC)


def job(did: str = "did:plc:miramiramiramiramiramira", state: State = State.PLANNING, **fields: Any) -> RepoCleanupJob:
    """A job that is in that state, however it came there."""
    row = {"types": ["like"], "cut_off": CUT_OFF, "requested_by": "k1", **fields}
    created: RepoCleanupJob = RepoCleanupJob.objects.create(did=did, state=state, **row)
    return created
