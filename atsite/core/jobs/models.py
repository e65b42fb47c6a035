"""The base of models whose rows are jobs. The row is the only record of the work; a message only announces it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.core import checks
from django.db import models
from django.utils import timezone

from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from atsite.core.jobs.graph import Graph


class Job(models.Model):
    """One piece of work. `next_at` and `leased_until` are never both set: a job is due then, or leased until then.

    A subclass defines the choices and the default of `state` (the graph's initial state).
    """

    graph: ClassVar[Graph[Any]]
    #: The fields that `JobLease.keep_progress` may change.
    progress_fields: ClassVar[tuple[str, ...]]
    #: State -> the field with the time when the job first reached it.
    dates: ClassVar[Mapping[str, str]] = {}
    #: How long a worker may be silent before it counts as dead.
    lease_time: ClassVar[timedelta] = timedelta(minutes=5)
    #: A job is given up after this many tries without progress; the pauses between them double.
    max_tries: ClassVar[int] = 12
    pause: ClassVar[timedelta] = timedelta(minutes=1)
    pause_max: ClassVar[timedelta] = timedelta(days=1)

    state = models.CharField(max_length=16)
    #: Why it waits, failed or was cancelled; shown to people.
    reason = models.TextField(blank=True)
    #: When a worker may claim it. Empty while one has it, and if a person must act first.
    next_at = models.DateTimeField("goes on", null=True, blank=True, default=timezone.now)
    #: While a worker has it: when the lease ends without further progress.
    leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    #: Grows with every claim and every end of one, so that a worker that lost the job cannot write to it.
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    #: Claims since the last progress.
    tries = models.PositiveIntegerField(default=0, editable=False)
    #: Who asked to cancel it while a worker had it. The worker cancels it.
    cancel_asked_by = models.CharField(max_length=150, blank=True, editable=False)
    finished_at = models.DateTimeField("finished", null=True, blank=True)

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["next_at"], name="%(app_label)s_%(class)s_next"),
            models.Index(fields=["leased_until"], name="%(app_label)s_%(class)s_leased"),
        ]

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.state not in self.graph.ended

    @property
    def is_leased(self) -> bool:
        """Whether a worker has it, as far as this row knows."""
        return self.leased_until is not None and self.leased_until > timezone.now()

    def claimed_as(self) -> str:
        """The state after a worker's claim."""
        return str(self.graph.claims[self.state])

    def due_in(self, state: str, now: datetime) -> datetime | None:
        """When a worker may claim a job that reached `state`; None: only after a person acts."""
        return now if state in self.graph.claims else None

    def store(self, expected: models.Q, values: Mapping[str, Any], *, by: str = "") -> bool:
        """Write `values` if the stored row still matches `expected`; returns whether it did. One conditional UPDATE.

        `values` contain the state if it changes or a lease ends. `by`: the person who makes the change, if any.
        """
        rows = type(self)._base_manager.using(DEFAULT).filter(expected, pk=self.pk)
        if not rows.update(**values):
            return False
        for name, value in values.items():
            setattr(self, name, value)
        return True

    def progress_kept(self) -> None:
        """For subclasses: progress was stored."""

    @classmethod
    def check(cls, **options: Any) -> list[checks.CheckMessage]:
        """Django's checks, and a check that the columns match the graph."""
        found: list[checks.CheckMessage] = super().check(**options)
        fields = {field.name: field for field in cls._meta.fields}
        state = fields["state"]
        if {value for value, _ in state.choices or ()} != cls.graph.states or state.default != cls.graph.initial:
            told = "choices and default of `state` differ from the graph's"
            found.append(checks.Error(told, obj=cls, id="jobs.E001"))
        if missing := {*cls.progress_fields, *cls.dates.values()} - fields.keys():
            found.append(checks.Error(f"there is no field {', '.join(sorted(missing))}", obj=cls, id="jobs.E002"))
        return found


def entering(job: Job, state: str, now: datetime) -> dict[str, Any]:
    """The columns with the time since when a job is in `state`."""
    values: dict[str, Any] = {"finished_at": now if state in job.graph.ended else None}
    date = job.dates.get(state)
    if date is not None and getattr(job, date) is None:
        values[date] = now
    return values


def leaving(job: Job, to: str, now: datetime, *, reason: str, next_at: datetime | None) -> dict[str, Any]:
    """The columns of a job that moves to `to` and has no worker."""
    return {
        "state": str(to),
        "reason": reason,
        "next_at": next_at or job.due_in(to, now),
        "leased_until": None,
        "fence": job.fence + 1,
        **entering(job, to, now),
    }
