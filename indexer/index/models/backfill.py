"""Backfills: repos to be fetched from their PDS. The row is the work; a message only announces it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from atsite.core.atproto.syntax import DID_MAX
from atsite.core.jobs.graph import Graph
from atsite.core.jobs.models import Job


class Backfill(Job):
    """The last requested backfill of a did. indexer.backfill.jobs reads and writes it."""

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        WAITING = "waiting", "will be retried"
        COMPLETED = "completed", "completed"
        GONE = "gone", "the account is gone"
        FAILED = "failed", "failed"

    graph = Graph(
        initial=State.QUEUED,
        moves={
            State.QUEUED: frozenset({State.RUNNING, State.FAILED}),
            State.RUNNING: frozenset({State.WAITING, State.COMPLETED, State.GONE, State.FAILED}),
            State.WAITING: frozenset({State.RUNNING, State.FAILED}),
            State.COMPLETED: frozenset(),
            State.GONE: frozenset(),
            State.FAILED: frozenset(),
        },
        claims={
            State.QUEUED: State.RUNNING,
            State.RUNNING: State.RUNNING,
            State.WAITING: State.RUNNING,
        },
        ended=frozenset({State.COMPLETED, State.GONE, State.FAILED}),
        failed=State.FAILED,
        waiting=State.WAITING,
    )
    progress_fields = ("progress",)
    dates = {State.RUNNING: "started_at"}

    did = models.CharField(max_length=DID_MAX, unique=True)
    days = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    requested_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    #: The indexer must subscribe to this did first: version of the change that requires it, 0 for none.
    after_us = models.BigIntegerField(default=0)
    #: indexer.backfill.run.Progress, as a dict.
    progress = models.JSONField(default=dict)

    class Meta(Job.Meta):
        ordering = ("-requested_at",)

    def __str__(self) -> str:
        return f"backfill of {self.did}"
