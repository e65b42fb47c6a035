"""Moves of a job by people or by the site itself, whether or not a worker has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import F, Q
from django.utils import timezone

from atsite.core.jobs.errors import IllegalMove, JobChanged
from atsite.core.jobs.models import leaving

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from atsite.core.jobs.models import Job


def move(job: Job, to: str, *, by: str = "", reason: str = "", next_at: datetime | None = None, **values: Any) -> None:
    """Move a job, if unchanged since it was read, to the state `to`, with `values` of its fields.

    A worker that has it loses it. Raises IllegalMove, JobChanged.
    """
    job.graph.check_move(job.state, to)
    changes = leaving(job, to, timezone.now(), reason=reason, next_at=next_at)
    expected = Q(fence=job.fence, state=job.state)
    if not job.store(expected, {**changes, "tries": 0, "cancel_asked_by": "", **values}, by=by):
        raise JobChanged(f"{job} was changed by someone else meanwhile")


def cancel(job: Job, *, by: str) -> None:
    """Cancel a job, if unchanged since it was read. If a worker has it, the worker cancels it after its current step.

    Raises IllegalMove, JobChanged.
    """
    to = job.graph.cancelled
    if to is None:
        raise IllegalMove("a job of this kind cannot be cancelled")
    job.graph.check_move(job.state, to)
    leased = Q(fence=job.fence, leased_until__gt=timezone.now())
    if not (job.is_leased and job.store(leased, {"cancel_asked_by": by})):
        move(job, to, by=by, reason=f"cancelled by {by}")


def beginning(job: type[Job], now: datetime) -> dict[str, Any]:
    """The columns of a job of this kind that begins now."""
    return {
        "state": str(job.graph.initial),
        "reason": "",
        "next_at": now,
        "leased_until": None,
        "tries": 0,
        "cancel_asked_by": "",
        "finished_at": None,
        **dict.fromkeys(job.dates.values()),
    }


def begin_again(jobs: QuerySet[Any], values: dict[str, Any]) -> int:
    """Restart jobs from the beginning, in any state, with `values` from `beginning`; returns how many.

    This is not a move, but new work in the same row. A worker that has one loses it.
    """
    return jobs.update(**values, fence=F("fence") + 1)
