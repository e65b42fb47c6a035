"""The records of a job in batches, what became of each, and the points that writes have used."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.db import models

from atsite.core.atproto.syntax import DID_MAX
from search.cleanup.models.job import RepoCleanupJob

#: Writes of one call: the limit of com.atproto.repo.applyWrites.
BATCH_MAX: Final = 200


class Outcome(StrEnum):
    """What became of one record of a batch; one character each."""

    PLANNED = "."
    #: The write was sent, and its answer is not known: the repo will tell.
    SENT = "s"
    #: This job deleted it (an undo: created it).
    DONE = "d"
    #: It was gone before this job wrote (an undo: it was there).
    NEEDLESS = "g"
    #: It is another version than the plan's, and stays (an undo: another record has its key).
    CHANGED = "c"
    #: The PDS refused this record alone, such as a post whose images it no longer has.
    REFUSED = "r"


class CleanupBatch(models.Model):
    """Up to BATCH_MAX records that one call writes. Cut when the plan is made; the engine alone changes them.

    A write is stored as intent before it is sent: its records are SENT, and the job has the commit and rev that they
    were checked against. So after a crash the repo tells what became of them.
    """

    job = models.ForeignKey(RepoCleanupJob, models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField()
    #: [collection/rkey, cid] of each record. Emptied when the backup has expired.
    items = models.JSONField(default=list)
    #: An Outcome for each item, in their order.
    outcome = models.CharField(max_length=BATCH_MAX, blank=True)
    #: When it was first sent, and when the outcome of all its records was known.
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    records = models.PositiveIntegerField("in the batch")
    records_deleted = models.PositiveIntegerField("deleted", default=0)
    records_gone = models.PositiveIntegerField("already gone", default=0)
    #: Writes of it in a row that failed for an unknown reason.
    failures = models.PositiveSmallIntegerField(default=0)
    #: The last error of the PDS, if it refused.
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="cleanup_cleanupbatch_once")]
        ordering = ("job", "-number")
        verbose_name = "batch"
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return f"batch {self.number} of {self.job_id}"


class PointsSent(models.Model):
    """Points of writes that were sent to an account's PDS, whatever it answered; kept for a day."""

    did = models.CharField(max_length=DID_MAX)
    sent_at = models.DateTimeField()
    points = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["did", "sent_at"], name="cleanup_pointssent_when")]

    def __str__(self) -> str:
        return f"{self.points} of {self.did}"
