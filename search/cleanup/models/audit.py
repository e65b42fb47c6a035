"""Who asked for clean-ups, without saying from where: kept for 90 days."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from atsite.core.atproto.syntax import DID_MAX


class CleanupAudit(models.Model):
    """One step of a job, by its owner or an operator. The address is a keyed hash."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    #: As RepoCleanupJob.job_id; no foreign key, so that it can outlive changes of that table.
    job_id = models.CharField("clean-up", max_length=13, db_index=True)
    did = models.CharField("account", max_length=DID_MAX)
    #: What was done: "created", "confirmed", "cancelled" …
    action = models.CharField(max_length=40)
    #: "the owner", or the username of an operator.
    by = models.CharField(max_length=150)
    address_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ("-at",)
        verbose_name = "audit row"

    def __str__(self) -> str:
        return f"{self.job_id} {self.action}"
