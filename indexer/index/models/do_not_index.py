"""Actors that this site does not index. People decide this, so the rows are in `default`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from atsite.core.atproto.syntax import DID_MAX, is_did
from atsite.core.copies.models import AnnouncedModel


def validate_did(text: str) -> None:
    """Raises ValidationError where `text` is not a did."""
    if not is_did(text):
        raise ValidationError("Enter a did, such as did:plc:ewvi7nxzyoun6zhxrhs64oiz.")


class RefusedActor(AnnouncedModel):
    """While this row exists, the actor is not indexed, and its earlier data is deleted."""

    did = models.CharField(max_length=DID_MAX, unique=True, validators=[validate_did])
    note = models.TextField(blank=True, help_text="The reason, for the operators of this site.")
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "actor not indexed"
        verbose_name_plural = "actors not indexed"

    def __str__(self) -> str:
        return self.did
