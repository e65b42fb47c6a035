"""Tokens of accounts at their PDS. The only table with secrets of users: encrypted, without history, soon deleted."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from atsite.core.atproto.syntax import DID_MAX
from search.cleanup.models.job import RepoCleanupJob


class PdsSession(models.Model):
    """One session. It belongs to a job, or for a short time to a person who signed in and has not chosen yet.

    Read and write it only through `search.cleanup.access.sessions`. Leave its table out of backups of the site.
    """

    did = models.CharField(max_length=DID_MAX)
    pds = models.CharField(max_length=300)
    job = models.OneToOneField(
        RepoCleanupJob, models.CASCADE, null=True, blank=True, related_name="session", editable=False
    )
    #: The tokens as JSON, encrypted (atsite.core.sealed).
    sealed = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)
    refreshed_at = models.DateTimeField(default=timezone.now)
    #: It is deleted then, whatever happens.
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"session {self.pk}"
