"""Claims jobs, and lets the worker that has one write to it. (For one process per site, see `atsite.core.kv.lease`.)

A claim raises the row's fence. Every write of a worker is an update of the row with *its* fence, so after it lost its
lease its writes change nothing and raise LeaseLost. Write rows of other tables in one transaction with `keep_progress`,
so that they are rolled back together:

    with transaction.atomic():
        batch.save()
        lease.keep_progress(records_deleted=…)      # LeaseLost: the batch is rolled back
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from atsite.core.jobs import retry_policy
from atsite.core.jobs.errors import LeaseLost
from atsite.core.jobs.models import entering, leaving
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from types import TracebackType

    from django.db.models import QuerySet

    from atsite.core.jobs.models import Job

    Clock = Callable[[], datetime]

J = TypeVar("J", bound="Job")

#: The reason that people read after an unexpected error; the log has the details.
_FAULT: Final = "an internal error of this site: {}"
_WORKERS_DIED: Final = "its worker died on each try"
_NOBODY_ASKED: Final = Q(cancel_asked_by="")


@dataclass(slots=True)
class JobLease(Generic[J]):
    """A claimed job. `job` is changed along with the row.

    As a context manager it ends an open lease: a job that was neither moved nor released is due again at once, and
    after an error the job waits for its next try. The error is re-raised.
    """

    job: J
    clock: Clock
    _fence: int = field(init=False)

    def __post_init__(self) -> None:
        self._fence = self.job.fence

    @property
    def cancel_asked(self) -> bool:
        """Whether someone asked to cancel the job: check before the first step and after each `keep_progress`."""
        return bool(self.job.cancel_asked_by)

    def keep_progress(self, **values: Any) -> None:
        """Store `values` of the job's `progress_fields` and extend the lease. Resets the count of failed tries.

        One UPDATE: no lock, no version, no history. Raises LeaseLost; TypeError for another field.
        """
        if others := values.keys() - set(self.job.progress_fields):
            raise TypeError(f"{', '.join(sorted(others))} of {type(self.job).__name__} is not progress")
        self._write({**values, "tries": 1, "leased_until": self.clock() + self.job.lease_time})
        self.job.progress_kept()

    def move(self, to: str, *, reason: str = "", next_at: datetime | None = None, **values: Any) -> None:
        """Move the job to the state `to`, with `values` of its fields, and end the lease.

        A job that was to be cancelled meanwhile is cancelled instead, unless `to` is an end. Raises LeaseLost,
        IllegalMove.
        """
        self.job.graph.check_move(self.job.state, to)
        self._end(to, reason, next_at, values)

    def release(self, *, reason: str = "", next_at: datetime | None = None, **values: Any) -> None:
        """Let the job wait until `next_at` (default: as `Job.due_in`) without a failure. Raises LeaseLost."""
        self._end(self._waiting(), reason, next_at, {**values, "tries": 0})

    def later(self, reason: str, pause: timedelta | None = None) -> None:
        """Let the job wait for its next try, or give up after the last one. Raises LeaseLost.

        The pause doubles with each try and is at least `pause`; one shorter than `Job.pause` is used as it is.
        """
        job = self.job
        if retry_policy.is_last(job.tries, max_tries=job.max_tries):
            self._end(job.graph.failed, _given_up(job, reason), None, {})
            return
        pause = retry_policy.pause_after(job.tries, first=job.pause, longest=job.pause_max, requested=pause)
        self._end(self._waiting(), reason, self.clock() + pause, {})

    def __enter__(self) -> JobLease[J]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.job.fence != self._fence or isinstance(error, LeaseLost):
            return  # it was ended, or lost
        with suppress(LeaseLost):
            if error is None:
                self.release()
            elif isinstance(error, Exception):
                self.later(_FAULT.format(type(error).__name__))

    def _waiting(self) -> str:
        return str(self.job.graph.waiting or self.job.state)

    def _end(self, to: str, reason: str, next_at: datetime | None, values: dict[str, Any]) -> None:
        job, now = self.job, self.clock()
        ending = {**leaving(job, to, now, reason=reason, next_at=next_at), **values}
        if to in job.graph.ended or job.graph.cancelled is None:
            self._write(ending)
        elif not job.store(self._held() & _NOBODY_ASKED, ending):
            by = self._asked_by()
            cancelled = leaving(job, str(job.graph.cancelled), now, reason=f"cancelled by {by}", next_at=None)
            self._write({**values, **cancelled}, by=by)

    def _write(self, values: dict[str, Any], *, by: str = "") -> None:
        """Raises LeaseLost. Also learns here whether someone asked to cancel the job."""
        job = self.job
        if job.store(self._held() & _NOBODY_ASKED, values, by=by):
            return
        asked_by = self._asked_by()
        if not job.store(self._held(), values, by=by):
            raise LeaseLost(f"{job} was taken over from this worker")
        job.cancel_asked_by = asked_by

    def _asked_by(self) -> str:
        """The name of the person who asked to cancel the job. Raises LeaseLost."""
        rows = type(self.job)._base_manager.using(DEFAULT).filter(self._held(), pk=self.job.pk)
        found: str | None = rows.values_list("cancel_asked_by", flat=True).first()
        if found is None:
            raise LeaseLost(f"{self.job} was taken from this worker")
        return found

    def _held(self) -> Q:
        """Whether the row is still this worker's: each claim and each end raises the fence of the row."""
        return Q(fence=self._fence)


def due(model: type[J], *, now: datetime) -> QuerySet[J]:
    """The jobs that a worker should claim, the longest-waiting first."""
    rows = model._base_manager.using(DEFAULT).filter(_is_due(now), state__in=list(model.graph.claims))
    return rows.order_by(Coalesce("leased_until", "next_at"), "pk")


def claim(job: J, *, early: bool = False, clock: Clock = timezone.now) -> JobLease[J] | None:
    """Claim the job if it is due and unchanged since it was read; None otherwise.

    `early`: also before its due time, but not while another worker has it. Gives up a job whose workers all died.
    """
    now, graph = clock(), job.graph
    if job.state not in graph.claims:
        return None
    free = Q(fence=job.fence, state=job.state) & (_is_free(now) if early else _is_due(now))
    if retry_policy.is_last(job.tries, max_tries=job.max_tries):
        job.store(free, leaving(job, graph.failed, now, reason=_given_up(job, _WORKERS_DIED), next_at=None))
        return None
    to = job.claimed_as()
    values = {
        "reason": "",
        "next_at": None,
        "leased_until": now + job.lease_time,
        "fence": job.fence + 1,
        "tries": job.tries + 1,
    }
    if to != job.state:
        graph.check_move(job.state, to)
        values |= {"state": to, **entering(job, to, now)}
    return JobLease(job, clock) if job.store(free, values) else None


def claim_next(model: type[J], *, clock: Clock = timezone.now) -> JobLease[J] | None:
    """Claim the due job that has waited longest; None if none is due."""
    while (job := due(model, now=clock()).first()) is not None:
        if (lease := claim(job, clock=clock)) is not None:
            return lease
    return None


def _is_free(now: datetime) -> Q:
    return Q(leased_until=None) | Q(leased_until__lte=now)


def _is_due(now: datetime) -> Q:
    return Q(leased_until=None, next_at__lte=now) | Q(leased_until__lte=now)


def _given_up(job: Job, reason: str) -> str:
    return f"given up after {job.tries} tries: {reason}"
