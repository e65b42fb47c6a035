"""Actions of operators on jobs: each is one transaction, with its history, its audit row and its copy in ClickHouse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone

from atsite.core.copies import versions
from atsite.core.copies.outcome import watched
from atsite.core.errors import AtsiteError
from atsite.core.jobs import moves
from atsite.core.kv.announce import announce
from atsite.core.routers import DEFAULT
from search.cleanup.access import audit, sessions
from search.cleanup.models import RepoCleanupJob
from search.cleanup.states import GRAPH, State, state_after_retry

if TYPE_CHECKING:
    from collections.abc import Callable


#: The task that takes the next step of each due job (search/cleanup/tasks.py).
RUN_CLEANUPS: Final = "search.cleanup.tasks.run_cleanups"


class AnotherJob(AtsiteError):
    """The account has another clean-up that has not ended."""

    def __init__(self, did: str) -> None:
        super().__init__(f"{did} has another clean-up that has not ended")


class Undone(AtsiteError):
    """The clean-up was undone, or its undo has begun: to go on with it would delete against its owner's will."""


class Forgotten(AtsiteError):
    """The lists of records of the clean-up were deleted, with its backup or some time after its end."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The job after the change, and messages about what is late (atsite.core.copies.outcome)."""

    job: RepoCleanupJob
    late: tuple[str, ...] = ()


def cancel(pk: int, *, by: str) -> Changed:
    """Cancel a job and forget its session. If a worker is running it, the job ends after the current batch.

    Raises RepoCleanupJob.DoesNotExist, IllegalMove, DatabaseError.
    """

    def cancelled(job: RepoCleanupJob) -> None:
        end(job, by=by)
        audit.keep(job, "cancelled", by=by)

    return changed(pk, cancelled)


def end(job: RepoCleanupJob, *, by: str) -> None:
    """In the transaction of `changed`: cancel a job, and forget its session unless a worker still needs it.

    Raises IllegalMove, JobChanged.
    """
    moves.cancel(job, by=by)
    if not job.is_active:  # else its worker forgets it
        sessions.forget_of_job(job)


def retry(pk: int, *, by: str) -> Changed:
    """Retry a failed job: with its confirmed plan, or from the beginning if it has none.

    Raises as `cancel` does, AnotherJob, Undone and Forgotten.
    """

    def resume(job: RepoCleanupJob) -> None:
        to = state_after_retry(is_confirmed=job.confirmed_at is not None)
        GRAPH.check_move(job.state, to)
        if RepoCleanupJob.objects.filter(did=job.did, state__in=GRAPH.active).exclude(pk=job.pk).exists():
            raise AnotherJob(job.did)
        if job.undone_by.exists():
            raise Undone("this clean-up was undone: its owner can start a new one")
        if is_forgotten(job):
            raise Forgotten("the plan of this clean-up was deleted: its owner can start a new one")
        moves.move(job, to, by=by)
        audit.keep(job, "tried again", by=by)

    return changed(pk, resume)


def can_cancel(job: RepoCleanupJob) -> bool:
    """Whether `cancel` would do something."""
    return GRAPH.may_move(job.state, State.CANCELLED) and not job.is_to_be_cancelled


def can_retry(job: RepoCleanupJob) -> bool:
    """Whether `retry` would do something."""
    return job.current_state is State.FAILED and not job.undone_by.exists() and not is_forgotten(job)


def is_forgotten(job: RepoCleanupJob) -> bool:
    """Whether a batch has outcomes to come for records that were deleted from it."""
    return job.batches.filter(ended_at=None, items=[]).exclude(outcome="").exists()


def announce_due(job: RepoCleanupJob) -> None:
    """Let a worker take a job that is due at once, when the transaction is committed. A lost message costs a minute."""
    if job.next_at is not None and job.next_at <= timezone.now():
        transaction.on_commit(partial(announce, RUN_CLEANUPS), using=DEFAULT, robust=True)


def changed(pk: int, change: Callable[[RepoCleanupJob], None]) -> Changed:
    """Change a job under a lock, so that no worker changes it meanwhile. Raises DoesNotExist, and as `change` does."""
    with watched() as outcome, transaction.atomic(using=DEFAULT):
        versions.lock()
        job: RepoCleanupJob = RepoCleanupJob.objects.select_for_update().get(pk=pk)
        change(job)
        announce_due(job)
    return Changed(job, tuple(outcome.late))
