"""What operators have decided about clean-ups, as the engine asks it before each batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.cleanup.models import CleanupSwitch, RefusedAccount

if TYPE_CHECKING:
    from search.cleanup.models import RepoCleanupJob


def is_refused(did: str) -> bool:
    """Whether clean-ups of the account are refused. Raises DatabaseError."""
    return RefusedAccount.objects.filter(did=did).exists()


def is_stopped(job: RepoCleanupJob) -> bool:
    """Whether the job must not write now. Raises DatabaseError."""
    return CleanupSwitch.is_paused() or is_refused(job.did)
