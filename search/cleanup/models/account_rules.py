"""What operators decide about clean-ups: a pause of all, and accounts that are refused."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from atsite.core.atproto.syntax import DID_MAX
from search.cleanup.models.job import validate_did


class RefusedAccount(models.Model):
    """An account whose clean-ups this site refuses; a running one stops after its batch."""

    did = models.CharField("account", max_length=DID_MAX, unique=True, validators=[validate_did])
    note = models.CharField(max_length=500, blank=True, help_text="Why. Only operators see it.")
    created_at = models.DateTimeField("since", default=timezone.now, editable=False)
    created_by = models.CharField("by", max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.did

    @classmethod
    def is_refused(cls, did: str) -> bool:
        """Whether clean-ups of the account are refused. Raises DatabaseError."""
        return cls.objects.filter(did=did).exists()


class CleanupSwitch(models.Model):
    """One row: whether all clean-ups are paused."""

    ID = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ID)
    paused = models.BooleanField(default=False)
    changed_at = models.DateTimeField(default=timezone.now)
    changed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="cleanup_cleanupswitch_one")]

    def __str__(self) -> str:
        return "paused" if self.paused else "running"

    @classmethod
    def is_paused(cls) -> bool:
        """Whether an operator paused all clean-ups. Raises DatabaseError."""
        return cls.objects.filter(pk=cls.ID, paused=True).exists()
