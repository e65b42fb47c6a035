"""Actors that this site does not index. People decide this, so the rows are in `default`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from atsite.core.atproto.syntax import DID_MAX, is_did, parse_account_did
from atsite.core.config import config
from atsite.core.copies.models import AnnouncedModel
from atsite.core.errors import InvalidSyntax


def validate_did(text: str) -> None:
    """Raises ValidationError if no account can have the did `text`. For every did that people enter."""
    if not is_did(text):
        raise ValidationError("Enter a did, such as did:plc:ewvi7nxzyoun6zhxrhs64oiz.")
    try:
        did = parse_account_did(text, loopback=config.allow_loopback)
    except InvalidSyntax as error:
        raise ValidationError(f"{error}.") from error
    if did != text:  # forms enter that spelling, so this is for what is pasted into a field of text
        raise ValidationError(f"Write the host name in lower case: {did}.")


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
