"""Checks an API key. Decided from `default` through Redis, never from this process's memory."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from apikeys import keys, usage
from apikeys.models import KEYS, ApiKey
from apikeys.rotation import old_secret_works
from atsite.core.clock import datetime_of, us_of
from atsite.core.copies.redis_cache import ABSENT, Entry
from atsite.core.kv.rate_limit import RateLimit
from atsite.core.web.auth import Principal, Scope
from atsite.core.web.xrpc import XrpcError

if TYPE_CHECKING:
    from datetime import datetime

    from apikeys.keys import Key

#: Compared with if there is no old secret: as long as a hash, but the hash of no text.
NO_HASH: Final = "-" * 64

_rates = RateLimit("apikeys")


@dataclass(frozen=True, slots=True)
class _Rights:
    hash: str
    scopes: frozenset[Scope]
    feeds: frozenset[str]
    rate_limit: int
    expires_us: int | None
    revoked: bool
    #: Missing in entries that an older version of the code cached.
    old_hash: str = ""
    old_until_us: int | None = None

    @classmethod
    def of(cls, value: str) -> _Rights:
        """From the JSON of ApiKey.entry. Scopes that this version of the code does not know are ignored."""
        fields: dict[str, Any] = json.loads(value)
        known = frozenset(Scope(scope) for scope in fields.pop("scopes") if scope in set(Scope))
        return cls(scopes=known, feeds=frozenset(fields.pop("feeds")), **fields)

    def match(self, key: Key, now: datetime) -> bool:
        """Whether the secret of `key` is the newest, or the old one while that is valid.

        Both are compared every time, so that the timing reveals nothing.
        """
        until = None if self.old_until_us is None else datetime_of(self.old_until_us)
        newest, old = keys.matches(key, self.hash), keys.matches(key, self.old_hash or NO_HASH)
        return newest or (old and old_secret_works(until, now))


def check(text: str, *, apart: Scope | None = None, now: datetime | None = None) -> Principal:
    """The principal of the key in `text`. Counts the call, with `apart` only among the calls for that scope.

    Raises XrpcError: AuthenticationRequired if the key is not valid (unknown, wrong, revoked, expired),
    RateLimitExceeded with Retry-After; Undecidable if neither `default` nor Redis answers.
    """
    now = now or timezone.now()
    key = keys.parse(text)
    if key is None:
        raise _refusal("that is not an API key: expected atsk_<id>_<secret>")
    value = KEYS.look_up(key.id, lambda: _stored(key.id)).value
    rights = None if value is None else _Rights.of(value)
    now_us = us_of(now)
    if rights is None or not rights.match(key, now):
        raise _refusal("this API key is not known")
    if rights.revoked:
        raise _refusal("this API key was revoked")
    if rights.expires_us is not None and now_us >= rights.expires_us:
        raise _refusal("this API key has expired")
    wait = _rates.take(key.id if apart is None else f"{key.id}:{apart}", rights.rate_limit)
    if wait:
        what = "" if apart is None else f" for the scope {apart}"
        message = f"more than {rights.rate_limit} calls per minute with this API key{what}"
        raise XrpcError("RateLimitExceeded", message, headers={"Retry-After": str(math.ceil(wait))})
    usage.count(key.id, now=now)
    return Principal(key.id, rights.scopes, rights.feeds)


def _stored(key_id: str) -> Entry:
    row = ApiKey.every.filter(key_id=key_id).first()
    return ABSENT if row is None else row.entry()


def _refusal(message: str) -> XrpcError:
    return XrpcError("AuthenticationRequired", message)
