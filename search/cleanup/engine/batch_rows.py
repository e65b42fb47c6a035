"""Batches in the database: which is next, its intent, its outcome. Each change is one transaction with the lease."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import transaction

from atsite.core.config import config
from search.cleanup.engine.batch_items import at, with_outcomes
from search.cleanup.engine.point_windows import DAY, Limits, Sent
from search.cleanup.models import CleanupBatch, Outcome, PointsSent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from atsite.core.jobs.lease import JobLease
    from search.cleanup.models import RepoCleanupJob

#: Batches in memory at once when all of a job are looked through.
_AT_ONCE: Final = 100
#: The field of the job that counts records with this outcome.
_COUNTED: Final = {
    Outcome.DONE: "records_deleted",
    Outcome.NEEDLESS: "records_gone",
    Outcome.CHANGED: "records_kept",
    Outcome.REFUSED: "records_kept",
}


def next_batch(job: RepoCleanupJob) -> CleanupBatch | None:
    """The first batch with records whose outcome is open."""
    return job.batches.filter(ended_at=None).order_by("number").first()


def open_batches(job: RepoCleanupJob) -> Iterator[list[CleanupBatch]]:
    """All batches with records whose outcome is open, some at a time."""
    return _chunks(job, ended_at=None)


def sent_batches(job: RepoCleanupJob) -> Iterator[list[CleanupBatch]]:
    """The batches with records that were sent and whose answer is not known, some at a time."""
    return _chunks(job, ended_at=None, outcome__contains=Outcome.SENT)


def all_batches(job: RepoCleanupJob) -> Iterator[list[CleanupBatch]]:
    """All batches of the job, some at a time."""
    return _chunks(job)


def keep_intent(lease: JobLease[RepoCleanupJob], batch: CleanupBatch, indexes: Sequence[int], points: int) -> None:
    """Store that these records are about to be written, and the points that it takes. Raises LeaseLost."""
    job, now = lease.job, lease.clock()
    batch.outcome = with_outcomes(batch.outcome, dict.fromkeys(indexes, Outcome.SENT))
    batch.began_at = batch.began_at or now
    with transaction.atomic():
        batch.save(update_fields=["outcome", "began_at"])
        PointsSent.objects.create(did=job.did, sent_at=now, points=points)
        lease.keep_progress(stage="creating the records again" if job.is_undo else "deleting")


def keep_outcomes(
    lease: JobLease[RepoCleanupJob],
    changes: Iterable[tuple[CleanupBatch, Mapping[int, str]]],
    *,
    error: str | None = None,
    **progress: Any,
) -> None:
    """Store what became of some records, with other progress of the job, in one transaction. Raises LeaseLost.

    `error`: what the PDS answered; None leaves the batch's last error as it is.
    """
    job, now = lease.job, lease.clock()
    counts: dict[str, int] = {}
    with transaction.atomic():
        for batch, changed in changes:
            for letter in changed.values():
                if field := _COUNTED.get(Outcome(letter)):
                    counts[field] = counts.get(field, 0) + 1
            _keep(batch, changed, now, error)
        lease.keep_progress(**{field: getattr(job, field) + count for field, count in counts.items()}, **progress)


def points_of(did: str, now: datetime) -> list[Sent]:
    """The points that were sent for an account within a day."""
    rows = PointsSent.objects.filter(did=did, sent_at__gt=now - DAY)
    return [Sent(at_, points) for at_, points in rows.values_list("sent_at", "points")]


def limits() -> Limits:
    """The limits of the settings."""
    return Limits(config.cleanup.per_hour, config.cleanup.per_day)


def _keep(batch: CleanupBatch, changed: Mapping[int, str], now: datetime, error: str | None) -> None:
    batch.outcome = with_outcomes(batch.outcome, changed)
    batch.records_deleted = batch.outcome.count(Outcome.DONE)
    batch.records_gone = batch.outcome.count(Outcome.NEEDLESS)
    if not at(batch.outcome, Outcome.PLANNED, Outcome.SENT):
        batch.ended_at = now
    if error is not None:
        batch.error = error
    batch.save(update_fields=["outcome", "records_deleted", "records_gone", "ended_at", "error", "failures"])


def _chunks(job: RepoCleanupJob, **chosen: Any) -> Iterator[list[CleanupBatch]]:
    last = 0
    while batches := list(job.batches.filter(number__gt=last, **chosen).order_by("number")[:_AT_ONCE]):
        last = batches[-1].number
        yield batches
