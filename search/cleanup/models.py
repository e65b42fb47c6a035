"""Clean-up jobs of repos, their batches, and the copy of jobs in ClickHouse: progress, never credentials."""

from __future__ import annotations

import secrets
from typing import Any

from clickhouse_backend.models import ArrayField, DateTime64Field, StringField, UInt8Field, UInt64Field
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from atsite.core.atproto.syntax import DID_MAX, is_nsid
from atsite.core.atproto.tid import CLOCK_ID_MAX, tid_of_micros
from atsite.core.clickhouse.models import ReadModel
from atsite.core.clock import now_us
from atsite.core.jobs.copied_job import CopiedJob
from indexer.index.models.do_not_index import validate_did as validate_did
from search.cleanup.states import GRAPH, State

_LABELS = {
    State.PLANNING: "planning",
    State.PLANNED: "planned, waiting for confirmation",
    State.RUNNING: "running",
    State.WAITING: "waiting",
    State.NEEDS_SIGN_IN: "needs a new sign-in",
    State.COMPLETED: "completed",
    State.CANCELLED: "cancelled",
    State.FAILED: "failed",
}


class PublishedCleanupJob(ReadModel):
    """The copy of RepoCleanupJob in ClickHouse; `time_us` is its version."""

    job_id = StringField(primary_key=True)
    did = StringField()
    state = StringField(low_cardinality=True)
    collections = ArrayField(StringField(low_cardinality=True))
    requested_by = StringField()
    records_planned = UInt64Field()
    records_deleted = UInt64Field()
    created_at = DateTime64Field(precision=6)
    finished_at = DateTime64Field(precision=6, null=True)
    time_us = UInt64Field()
    deleted = UInt8Field(default=0)

    class Meta(ReadModel.Meta):
        db_table = "repo_cleanup_jobs"


def new_job_id() -> str:
    """The TID of the current moment; jobs are sorted by it."""
    return tid_of_micros(now_us(), secrets.randbelow(CLOCK_ID_MAX + 1))


def validate_collections(value: object) -> None:
    """Raises ValidationError unless `value` is a list of at least one collection."""
    if not (isinstance(value, list) and value and all(isinstance(name, str) and is_nsid(name) for name in value)):
        raise ValidationError("Enter collections, such as app.bsky.feed.like.")


class RepoCleanupJob(CopiedJob):
    """Deletes the records of some collections of one repo that are older than a given time.

    Change its state only through `atsite.core.jobs`, which checks it against `search.cleanup.states`.
    """

    graph = GRAPH
    progress_fields = ("records_planned", "records_deleted", "records_gone")
    dates = {State.PLANNED: "planned_at", State.RUNNING: "started_at"}

    job_id = models.CharField(max_length=13, unique=True, editable=False, default=new_job_id)
    did = models.CharField("account", max_length=DID_MAX, validators=[validate_did])
    collections = models.JSONField("types", validators=[validate_collections])
    cut_off = models.DateTimeField("older than", help_text="Records written before it are deleted.")
    state = models.CharField(
        max_length=16, choices=[(str(state), _LABELS[state]) for state in State], default=str(State.PLANNING)
    )
    #: Who asked for it: an API key or a person.
    requested_by = models.CharField(max_length=150, blank=True)
    records_planned = models.PositiveBigIntegerField("planned", default=0)
    #: Records that were gone from the repo before their batch ran were not deleted by this job.
    records_deleted = models.PositiveBigIntegerField("deleted", default=0)
    records_gone = models.PositiveBigIntegerField("already gone", default=0)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    planned_at = models.DateTimeField("planned at", null=True, blank=True)
    started_at = models.DateTimeField("started", null=True, blank=True)
    history = HistoricalRecords(excluded_fields=["published_us", "leased_until", "fence", "tries", "cancel_asked_by"])

    copy = PublishedCleanupJob
    copied = {
        name: name
        for name in (
            "job_id",
            "did",
            "state",
            "collections",
            "requested_by",
            "records_planned",
            "records_deleted",
            "created_at",
            "finished_at",
        )
    }
    natural_key = ("job_id",)

    class Meta(CopiedJob.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["did"],
                condition=Q(deleted=False, state__in=sorted(str(state) for state in GRAPH.active)),
                name="cleanup_repocleanupjob_one_active",
                violation_error_message="This account has a clean-up that has not ended.",
            )
        ]
        ordering = ("-job_id",)
        verbose_name = "clean-up"

    def __str__(self) -> str:
        return f"{self.job_id} of {self.did}"

    @property
    def current_state(self) -> State:
        """`state` as a member of State."""
        return State(self.state)

    @property
    def is_to_be_cancelled(self) -> bool:
        """Whether it is to be cancelled and its worker has not ended it yet."""
        return self.is_active and bool(self.cancel_asked_by)

    @property
    def status(self) -> str:
        """The state in words."""
        return f"{self.get_state_display()}{', to be cancelled' if self.is_to_be_cancelled else ''}"

    @property
    def remaining(self) -> int:
        """How many of the planned records are left."""
        return max(0, self.records_planned - self.records_deleted - self.records_gone)

    @property
    def percent(self) -> int:
        """The percentage of the plan that is done; 100 for a completed job without a plan."""
        if not self.records_planned:
            return 100 if self.current_state is State.COMPLETED else 0
        return 100 * (self.records_planned - self.remaining) // self.records_planned

    def claimed_as(self) -> str:
        """As Job.claimed_as; a waiting job without a plan is planned first."""
        if self.current_state is State.WAITING and self.planned_at is None:
            return State.PLANNING
        return super().claimed_as()

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Jobs cannot be deleted: statistics and histories refer to them. Raises TypeError."""
        raise TypeError(f"{self} stays: cancel it")


class CleanupBatch(models.Model):
    """What one batch of a job did. Written only by the job; never changed after its end."""

    job = models.ForeignKey(RepoCleanupJob, models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField()
    began_at = models.DateTimeField(default=timezone.now)
    #: Empty while it runs, and for ever if the process was killed during the batch.
    ended_at = models.DateTimeField(null=True, blank=True)
    records = models.PositiveIntegerField("in the batch")
    records_deleted = models.PositiveIntegerField("deleted", default=0)
    records_gone = models.PositiveIntegerField("already gone", default=0)
    #: The error of the PDS, if it refused.
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="cleanup_cleanupbatch_once")]
        ordering = ("job", "-number")
        verbose_name = "batch"
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"batch {self.number} of {self.job_id}"
