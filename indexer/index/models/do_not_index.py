"""Actors whom this site does not index: what people decide, so these rows are in `default`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from atsite.core.atproto.syntax import DID_MAX, is_did, parse_account_did
from atsite.core.config import config
from atsite.core.errors import InvalidSyntax
from atsite.core.published.models import AnnouncedModel


def validate_did(text: str) -> None:
    """Raises ValidationError where no account can have the did `text`. For each did that people enter."""
    if not is_did(text):
        raise ValidationError("Enter a did, such as did:plc:ewvi7nxzyoun6zhxrhs64oiz.")
    try:
        parse_account_did(text, loopback=config.allow_loopback)
    except InvalidSyntax as error:
        raise ValidationError(f"{error}.") from error


class RefusedActor(AnnouncedModel):
    """Nothing of this actor is indexed while the row is there, and what had been is gone."""

    did = models.CharField(max_length=DID_MAX, unique=True, validators=[validate_did])
    note = models.TextField(blank=True, help_text="Why; for those who run this site.")
    created_by = models.CharField(max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    history = HistoricalRecords()

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "actor not indexed"
        verbose_name_plural = "actors not indexed"

    def __str__(self) -> str:
        return self.did
