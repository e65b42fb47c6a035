"""Changing clean-up jobs: each change is one transaction, under the lock of all published rows, with its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone

from atsite.core.errors import AtsiteError
from atsite.core.published import versions
from atsite.core.published.outcome import watched
from atsite.core.routers import DEFAULT
from search.cleanup import states
from search.cleanup.states import ENDED, State
from search.models import RepoCleanupJob

if TYPE_CHECKING:
    from datetime import datetime

#: As long as the history's column of reasons.
_REASON_MAX: Final = 100
#: When a state is first entered is the job's, where it has a date for it.
_DATES: Final = {State.PLANNED: "planned_at", State.RUNNING: "started_at"}


class AnotherJob(AtsiteError):
    """The account has another clean-up that has not ended."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The job as it is now, and sentences about what is late (atsite.core.published.outcome)."""

    job: RepoCleanupJob
    late: tuple[str, ...] = ()


def move(
    pk: int, to: State, *, by: str = "", reason: str = "", next_at: datetime | None = None, **changes: Any
) -> Moved:
    """Bring a job to the state `to`, with `changes` of its counts.

    `by` is who wants it (nobody: the site itself), `reason` why, for people. Raises RepoCleanupJob.DoesNotExist,
    IllegalMove, AnotherJob, DatabaseError.
    """
    with watched() as outcome, transaction.atomic(using=DEFAULT):
        versions.lock()
        job = RepoCleanupJob.objects.get(pk=pk)
        states.check_move(job.place, to)
        if to in states.ACTIVE and not job.is_active and _others(job).exists():
            raise AnotherJob(f"{job.did} has another clean-up that has not ended")
        for name, value in changes.items():
            setattr(job, name, value)
        _enter(job, to, reason=reason, next_at=next_at)
        job._change_reason = _why(to, by)
        job.save()
    return Moved(job, tuple(outcome.late))


def cancel(pk: int, *, by: str) -> Moved:
    """Stop a job: whoever runs it looks before each batch. Raises as `move` does."""
    return move(pk, State.CANCELLED, by=by, reason=f"cancelled by {by}")


def retry(pk: int, *, by: str) -> Moved:
    """Try a failed job again: with its plan, or from the beginning where it has none. Raises as `move` does."""
    job = RepoCleanupJob.objects.get(pk=pk)
    to = states.retried(is_planned=job.planned_at is not None)
    return move(pk, to, by=by, next_at=timezone.now() if to is State.WAITING else None)


def can_cancel(job: RepoCleanupJob) -> bool:
    """Whether `cancel` would do something."""
    return states.may_move(job.place, State.CANCELLED)


def can_retry(job: RepoCleanupJob) -> bool:
    """Whether `retry` would do something."""
    return job.place is State.FAILED


def _enter(job: RepoCleanupJob, to: State, *, reason: str, next_at: datetime | None) -> None:
    now = timezone.now()
    job.state, job.reason, job.next_at = to, reason, next_at
    job.finished_at = now if to in ENDED else None
    date = _DATES.get(to)
    if date is not None and getattr(job, date) is None:
        setattr(job, date, now)


def _others(job: RepoCleanupJob) -> Any:
    return RepoCleanupJob.objects.filter(did=job.did, state__in=states.ACTIVE).exclude(pk=job.pk)


def _why(to: State, by: str) -> str:
    return f"{to.replace('_', ' ')}{f' by {by}' if by else ''}"[:_REASON_MAX]
