"""Repos to be fetched from their PDS: the row is the work; a message only says that there is some."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from atsite.core.atproto.syntax import DID_MAX


class Backfill(models.Model):
    """One did's backfill, the last that was asked for. indexer.backfill.work reads and writes it."""

    class State(models.TextChoices):
        QUEUED = "queued", "waits for its turn"
        RUNNING = "running", "running"
        WAITING = "waiting", "will be tried again"
        COMPLETED = "completed", "completed"
        GONE = "gone", "the account is gone"
        FAILED = "failed", "failed"

    #: What the worker looks after; the others are at their end.
    DUE = (State.QUEUED, State.RUNNING, State.WAITING)

    did = models.CharField(max_length=DID_MAX, unique=True)
    days = models.PositiveIntegerField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    #: Why it waits, failed or cannot be done, for people.
    reason = models.TextField(blank=True)
    requested_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    #: When it is to be looked after: queued at once, waiting later, running when its worker must have died.
    next_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveIntegerField(default=0)
    #: The indexer must ask the stream for this did before: version of the change that wants it so, 0 for none.
    after_us = models.BigIntegerField(default=0)
    #: indexer.backfill.run.Progress, as a dict.
    progress = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="indexer_backfill_due")]
        ordering = ("-requested_at",)

    def __str__(self) -> str:
        return f"backfill of {self.did}"
