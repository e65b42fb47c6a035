"""API keys in `default`, and their copy in ClickHouse: names and rights, never a secret or its hash."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Self

from clickhouse_backend.models import (
    ArrayField,
    DateTime64Field,
    DateTimeField,
    StringField,
    UInt8Field,
    UInt32Field,
    UInt64Field,
)
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from atsite.core.atproto.syntax import is_rkey
from atsite.core.clickhouse.models import ReadModel
from atsite.core.clock import us_of
from atsite.core.copies.models import Cached, CopiedModel
from atsite.core.copies.redis_cache import Entry, VersionedCache
from atsite.core.copies.visible_text import require_visible
from atsite.core.web.auth import Scope

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from apikeys.keys import Key

#: The cache that checks of keys read (apikeys.check). Rename it whenever the meaning of a scope changes, so that older
#: entries are not used; the last time was migration 0006.
KEYS = VersionedCache("apikeys-2", keeps_absent=False)  # callers can invent ids
#: Calls per minute. Ten a second: enough for a script that goes through a list, not for a runaway one.
DEFAULT_RATE = 600
MAX_RATE = 1_000_000


class PublishedApiKey(ReadModel):
    """The copy of ApiKey in ClickHouse: name and rights; `time_us` is its version."""

    key_id = StringField(primary_key=True)
    name = StringField()
    owner = StringField()
    scopes = ArrayField(StringField(low_cardinality=True))
    feeds = ArrayField(StringField(low_cardinality=True))
    rate_limit = UInt32Field()
    created_at = DateTime64Field(precision=6)
    expires_at = DateTime64Field(precision=6, null=True)
    revoked_at = DateTime64Field(precision=6, null=True)
    time_us = UInt64Field()
    deleted = UInt8Field()

    class Meta(ReadModel.Meta):
        db_table = "api_keys"


class ApiKeyUsage(ReadModel):
    """Accepted calls of one key in one hour, by one counter in Redis: sum over `counter`."""

    pk = models.CompositePrimaryKey("key_id", "hour", "counter")
    key_id = StringField()
    hour = DateTimeField()
    counter = StringField()
    uses = UInt64Field()
    last_used_at = DateTime64Field(precision=3)

    class Meta(ReadModel.Meta):
        db_table = "api_key_usage"
        verbose_name = verbose_name_plural = "API key usage"


def validate_scopes(value: object) -> None:
    """Raises ValidationError for anything but a list of scopes."""
    if not isinstance(value, list) or not set(value) <= set(Scope):
        raise ValidationError(f"Choose among {', '.join(Scope)}.")


def validate_feeds(value: object) -> None:
    """Raises ValidationError for anything but a list of record keys."""
    if not isinstance(value, list) or not all(isinstance(rkey, str) and is_rkey(rkey) for rkey in value):
        raise ValidationError("Enter record keys of feeds, such as whats-hot.")


class ApiKey(CopiedModel):
    """An API key and its rights. Only its holder has the secret; revoking is final."""

    key_id = models.CharField(max_length=32, unique=True, editable=False)
    #: SHA-256 of the secret, in hex.
    secret_hash = models.CharField(max_length=64, editable=False)
    #: The hash of the secret before the last rotation, which works until `old_valid_until`; "" if there is none.
    old_hash = models.CharField(max_length=64, blank=True, editable=False)
    old_valid_until = models.DateTimeField(null=True, blank=True, editable=False)
    scopes = models.JSONField(default=list, validators=[validate_scopes])
    feeds = models.JSONField(
        default=list, blank=True, validators=[validate_feeds], help_text="Record keys of the feeds that the key covers."
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The holder of the key.",
    )
    note = models.TextField(blank=True, help_text="What the key is used for, and where.")
    rate_limit = models.PositiveIntegerField(
        default=DEFAULT_RATE,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_RATE)],
        help_text="Calls per minute.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: the key never expires.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    history = HistoricalRecords(excluded_fields=["published_us", "secret_hash", "old_hash"])

    copy = PublishedApiKey
    copied = {
        "key_id": "key_id",
        "name": "note",
        "owner": "owner",
        "scopes": "scopes",
        "feeds": "feeds",
        "rate_limit": "rate_limit",
        "created_at": "created_at",
        "expires_at": "expires_at",
        "revoked_at": "revoked_at",
    }
    copied_from = ("user",)
    natural_key = ("key_id",)

    class Meta(CopiedModel.Meta):
        ordering = ("-created_at",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.key_id} ({self.note})" if self.note else self.key_id

    @property
    def owner(self) -> str:
        """The holder's user name, or ""."""
        return self.user.get_username() if self.user is not None else ""

    def clean(self) -> None:
        """Raises ValidationError if its note, by which people know it, cannot be seen."""
        require_visible(note=self.note)

    def revoke(self) -> None:
        """Revoke the key permanently. Raises ChangedMeanwhile."""
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])

    def rotate(self, key: Key, *, overlap: timedelta) -> None:
        """Give the key a new secret, that of `key`; the current one keeps working for `overlap` from now on.

        The secret from before an earlier rotation stops working. Raises ValueError if `key` has another id or this key
        was revoked, ChangedMeanwhile.
        """
        if key.id != self.key_id or self.revoked_at is not None:
            raise ValueError(f"{self.key_id} cannot be given that secret")
        self.old_hash, self.secret_hash = self.secret_hash, key.hash
        self.old_valid_until = timezone.now() + overlap
        self.save(update_fields=["old_hash", "secret_hash", "old_valid_until"])

    def end_old_secret(self) -> None:
        """From now on only the newest secret works. Raises ChangedMeanwhile."""
        if self.old_hash:
            self.old_hash, self.old_valid_until = "", None
            self.save(update_fields=["old_hash", "old_valid_until"])

    def cached(self) -> Cached:
        return Cached(KEYS, self.key_id, self.entry())

    def entry(self) -> Entry:
        """The cached entry that checks read, as JSON."""
        if self.deleted:
            return Entry(self.time_us, None)
        fields = {
            "hash": self.secret_hash,
            "old_hash": self.old_hash,
            "old_until_us": _micros(self.old_valid_until),
            "scopes": self.scopes,
            "feeds": self.feeds,
            "rate_limit": self.rate_limit,
            "expires_us": _micros(self.expires_at),
            "revoked": self.revoked_at is not None,
        }
        return Entry(self.time_us, json.dumps(fields))

    def _check_change(self, stored: Self) -> None:
        """Revoking is final, only `rotate` changes the secret, and an old secret never becomes valid again."""
        if stored.revoked_at is not None and stored.revoked_at != self.revoked_at:
            raise ValueError(f"{self.key_id} was revoked, which is final: make another key")
        rotated = stored.secret_hash != self.secret_hash
        if rotated and self.old_hash != stored.secret_hash:
            raise ValueError(f"the secret of {self.key_id} cannot change: rotate it, or make another key")
        kept = (self.old_hash, self.old_valid_until) == (stored.old_hash, stored.old_valid_until)
        if not rotated and self.old_hash and not kept:
            raise ValueError(f"an old secret of {self.key_id} cannot become good again")


def add_key(key: Key, **fields: object) -> ApiKey:
    """Store `key` (only its hash) with the given rights. Raises ValidationError."""
    row = ApiKey(key_id=key.id, secret_hash=key.hash, **fields)
    row.full_clean()
    row.save()
    return row


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else us_of(moment)
