"""Decisions cached in Redis, of which an older one never replaces a newer one.

Every entry carries the version of the row it was made from, also the entry that says "there is no such row": a removal
leaves its version, a look-up that found nothing leaves 0. One script compares and sets.

A reader that loaded a row before it changed cannot undo the change: while the newer entry is there, the older is
refused; and as a reader's entry ends LIFE_SECONDS after its reading *began* (by Redis's clock), it would be over before
the newer one is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, connections

from atsite.core import kv
from atsite.core.kv import quick
from atsite.core.published.errors import Undecidable
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: How long a change may stay unseen whose cache write failed, and how long entries decide while `default` is away.
LIFE_SECONDS: Final = 30

#: KEYS: the entry. ARGV: version, text, the end in ms of Redis's clock or "" for a whole life from now, life in ms.
#: Returns the entry that stands now: a newer one, or the one given (stored, unless its time is over).
PUT: Final = """
local held = redis.call("get", KEYS[1])
if held and tonumber(string.match(held, "^%d+")) > tonumber(ARGV[1]) then return held end
local time = redis.call("time")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = tonumber(ARGV[3]) or now + ARGV[4]
if ends > now then redis.call("set", KEYS[1], ARGV[2], "pxat", string.format("%.0f", ends)) end
return ARGV[2]
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What was decided, as text; None where there is no such row (any more). `version` 0: there never was one."""

    version: int
    value: str | None

    def encoded(self) -> str:
        """As Redis holds it: version, `+` or `-`, value."""
        return f"{self.version}-" if self.value is None else f"{self.version}+{self.value}"

    @classmethod
    def decoded(cls, data: bytes) -> Entry:
        """The reverse of `encoded`. Raises ValueError."""
        text = data.decode()
        version = text[: min(index for index in (text.find("+"), text.find("-")) if index > 0)]
        present = text[len(version)] == "+"
        return cls(int(version), text[len(version) + 1 :] if present else None)


ABSENT: Final = Entry(0, None)


@dataclass(frozen=True, slots=True)
class VersionedCache:
    """Entries of one kind. Nothing is held in this process.

    `keeps_absent`: whether it is also remembered that there never was a row. Not where untrusted callers choose the
    keys, as they would fill Redis.
    """

    name: str
    keeps_absent: bool = True

    def look_up(self, key: str, load: Callable[[], Entry]) -> Entry:
        """The entry of `key`: from Redis, else from `load`, which reads `default` (ABSENT where it finds nothing).

        Raises Undecidable when neither can be asked.
        """
        try:
            data, read_at = quick.ask(lambda client: self._get(client, key))
        except quick.RedisAway:
            return from_default(load)
        if data is not None:
            return Entry.decoded(data)
        # A row of a transaction under way may be rolled back: it is nobody else's business yet.
        shared = not connections[DEFAULT].in_atomic_block
        entry = from_default(load)
        if not shared or (entry == ABSENT and not self.keeps_absent):
            return entry
        try:
            return self._put(key, entry, ends=read_at + LIFE_SECONDS * 1000)
        except quick.RedisAway:
            return entry

    def put(self, key: str, entry: Entry) -> bool:
        """Store the entry of a committed change. False when Redis could not be asked: an older one may still stand."""
        try:
            self._put(key, entry, ends=None)
        except quick.RedisAway:
            return False
        return True

    def _get(self, client: redis.Redis, key: str) -> tuple[bytes | None, int]:
        """The entry, and the moment (ms, Redis's clock) before it was looked for."""
        pipeline = client.pipeline(transaction=False)
        pipeline.time()
        pipeline.get(self._key(key))
        (seconds, micros), data = pipeline.execute()
        return data, seconds * 1000 + micros // 1000

    def _put(self, key: str, entry: Entry, *, ends: int | None) -> Entry:
        arguments = (str(entry.version), entry.encoded(), "" if ends is None else str(ends), str(LIFE_SECONDS * 1000))
        stands = quick.ask(
            lambda client: client.eval(PUT, 1, self._key(key), *arguments),
            insist=ends is None,  # a change is told even to a Redis that was away a moment ago
        )
        return Entry.decoded(stands) if isinstance(stands, bytes) else entry

    def _key(self, key: str) -> str:
        return f"{kv.PREFIX}cache:{self.name}:{key}"


def from_default(load: Callable[[], T]) -> T:
    """The result of `load`, which reads `default`. Raises Undecidable when the store is away.

    A connection that had been used before may have died since; it is replaced once.
    """
    connection = connections[DEFAULT]
    attempts = 2 if connection.connection is not None and not connection.in_atomic_block else 1
    while True:
        attempts -= 1
        try:
            return load()
        except (DatabaseError, InterfaceError) as error:
            if not connection.in_atomic_block:
                connection.close()
            if attempts:
                continue
            log.warning("default.away", error=type(error).__name__)
            raise Undecidable("the store that decides does not answer now, try again later") from error
