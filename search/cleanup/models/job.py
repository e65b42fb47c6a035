"""Clean-up jobs of repos, and their copy in ClickHouse: progress, never credentials."""

from __future__ import annotations

import secrets
from typing import Any

from clickhouse_backend.models import ArrayField, DateTime64Field, StringField, UInt8Field, UInt64Field
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from simple_history.models import HistoricalRecords

from atsite.core.atproto.syntax import DID_MAX
from atsite.core.atproto.tid import CLOCK_ID_MAX, tid_of_micros
from atsite.core.clickhouse.models import ReadModel
from atsite.core.clock import now_us
from atsite.core.jobs.copied_job import CopiedJob
from indexer.index.models.do_not_index import validate_did as validate_did
from search.cleanup.planning.record_types import RecordType
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
    types = ArrayField(StringField(low_cardinality=True))
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


def validate_types(value: object) -> None:
    """Raises ValidationError unless `value` is a list of at least one record type."""
    if not (isinstance(value, list) and value and all(name in set(RecordType) for name in value)):
        raise ValidationError(f"Choose at least one of {', '.join(RecordType)}.")


class Kind(models.TextChoices):
    """What a job does with the records in its batches."""

    DELETE = "delete", "clean-up"
    UNDO = "undo", "undo"  # creates the records again that another job deleted


class RepoCleanupJob(CopiedJob):
    """Deletes old records of one repo, or creates those again that another job deleted.

    Change its state only through `atsite.core.jobs`, which checks it against `search.cleanup.states`. The records are
    in its batches (CleanupBatch), its tokens in a table of their own (PdsSession).
    """

    graph = GRAPH
    progress_fields = (
        "records_planned", "records_deleted", "records_gone", "records_kept", "stage", "rev", "commit", "swaps_refused",
        "backup", "backup_until",
    )  # fmt: skip
    dates = {State.PLANNED: "planned_at", State.RUNNING: "started_at"}

    job_id = models.CharField(max_length=13, unique=True, editable=False, default=new_job_id)
    did = models.CharField("account", max_length=DID_MAX, validators=[validate_did])
    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.DELETE)
    #: The job whose deletes an undo takes back.
    undoes = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="undone_by")
    types = models.JSONField(validators=[validate_types])
    #: The rules of its owner (search.cleanup.planning.rules), which may have texts: no page of the admin shows them.
    rules = models.JSONField(default=dict, blank=True, editable=False)
    cut_off = models.DateTimeField("older than", help_text="Records written before it are deleted.")
    #: Whether its owner may confirm the plan; without it the job only shows what it would delete.
    permitted = models.BooleanField("may delete", default=False)
    #: The handle at the sign-in, which its owner types to confirm.
    handle = models.CharField(max_length=253, blank=True)
    #: SHA-256 of the token that its owner has, in hexadecimal.
    token_hash = models.CharField(max_length=64, blank=True, editable=False)
    #: What the plan shows (search.cleanup.plan_summary): counts and at-uris.
    plan = models.JSONField(default=dict, blank=True, editable=False)
    plan_digest = models.CharField(max_length=64, blank=True, editable=False)
    #: The comparison with the repo at the end: how many records are left, by reason.
    report = models.JSONField(default=dict, blank=True, editable=False)
    #: The file of the encrypted backup in the folder of backups; empty: none, or it has expired.
    backup = models.CharField(max_length=100, blank=True, editable=False)
    backup_until = models.DateTimeField(null=True, blank=True)
    #: What its worker does now, in words.
    stage = models.CharField(max_length=200, blank=True)
    #: The commit of the repo in which the rest of the plan was seen unchanged.
    rev = models.CharField(max_length=13, blank=True, editable=False)
    commit = models.CharField(max_length=200, blank=True, editable=False)
    #: How often in a row the PDS refused a batch because the repo had changed.
    swaps_refused = models.PositiveSmallIntegerField(default=0, editable=False)
    state = models.CharField(
        max_length=16, choices=[(str(state), _LABELS[state]) for state in State], default=str(State.PLANNING)
    )
    #: Who asked for it: an API key or a person.
    requested_by = models.CharField(max_length=150, blank=True)
    records_planned = models.PositiveBigIntegerField("planned", default=0)
    #: Records that were gone from the repo before their batch ran were not deleted by this job.
    records_deleted = models.PositiveBigIntegerField("deleted", default=0)
    records_gone = models.PositiveBigIntegerField("already gone", default=0)
    #: Records that are kept after all: they were changed after the plan, or the PDS refused them.
    records_kept = models.PositiveBigIntegerField("kept after all", default=0)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    planned_at = models.DateTimeField("planned at", null=True, blank=True)
    confirmed_at = models.DateTimeField("confirmed", null=True, blank=True)
    started_at = models.DateTimeField("started", null=True, blank=True)
    history = HistoricalRecords(
        excluded_fields=[
            "published_us", "leased_until", "fence", "tries", "cancel_asked_by",
            "rules", "token_hash", "plan", "plan_digest", "report", "backup", "stage", "rev", "commit", "swaps_refused",
        ]
    )  # fmt: skip

    copy = PublishedCleanupJob
    copied = {
        name: name
        for name in (
            "job_id",
            "did",
            "state",
            "types",
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
        return max(0, self.records_planned - self.records_deleted - self.records_gone - self.records_kept)

    @property
    def percent(self) -> int:
        """The percentage of the plan that is done; 100 for a completed job without a plan."""
        if not self.records_planned:
            return 100 if self.current_state is State.COMPLETED else 0
        return 100 * (self.records_planned - self.remaining) // self.records_planned

    @property
    def has_backup(self) -> bool:
        """Whether there is a backup that has not expired."""
        return bool(self.backup) and self.backup_until is not None and self.backup_until > timezone.now()

    @property
    def is_undo(self) -> bool:
        """Whether it creates records again."""
        return self.kind == Kind.UNDO

    def claimed_as(self) -> str:
        """As Job.claimed_as; a waiting job whose plan was not confirmed is planned first."""
        if self.current_state is State.WAITING and self.confirmed_at is None:
            return State.PLANNING
        return super().claimed_as()

    def delete(self, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Jobs cannot be deleted: statistics and histories refer to them. Raises TypeError."""
        raise TypeError(f"{self} stays: cancel it")
