"""A cache of decisions in Redis. An older entry never replaces a newer one.

Every entry has the version of its row, also an entry that says "there is no such row": a deletion has its own version,
a look-up that found nothing has 0. One script compares and sets.

A reader that loaded a row before it changed cannot undo the change: while the newer entry exists, the older one is
refused. And since a reader's entry expires LIFE_SECONDS after its read *began* (by Redis's clock), it expires before
the newer one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import structlog
from django.db import DatabaseError, InterfaceError, connections

from atsite.core import kv
from atsite.core.copies.errors import Undecidable
from atsite.core.kv import quick
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: How long a change stays unseen if its cache write failed, and how long entries hold while `default` is unavailable.
LIFE_SECONDS: Final = 30

#: KEYS: the entry. ARGV: version, text, the end in ms of Redis's clock or "" for a whole life from now, life in ms.
#: Returns the entry that is now valid: a newer one, or the given one (stored, unless it has expired).
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
    """A cached value as text; None if there is no such row. `version` 0: there never was one."""

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

    `keeps_absent`: whether "there never was such a row" is cached too. Use False if untrusted callers choose the keys,
    because they could fill Redis.
    """

    name: str
    keeps_absent: bool = True

    def look_up(self, key: str, load: Callable[[], Entry]) -> Entry:
        """The entry of `key`: from Redis, else from `load`, which reads `default` (ABSENT where it finds nothing).

        Raises Undecidable if neither can be read.
        """
        try:
            data, read_at = quick.ask(lambda client: self._get(client, key))
        except quick.RedisAway:
            return from_default(load)
        if data is not None:
            return Entry.decoded(data)
        # A row of an open transaction may be rolled back, so it is not shared yet.
        shared = not connections[DEFAULT].in_atomic_block
        entry = from_default(load)
        if not shared or (entry == ABSENT and not self.keeps_absent):
            return entry
        try:
            return self._put(key, entry, ends=read_at + LIFE_SECONDS * 1000)
        except quick.RedisAway:
            return entry

    def put(self, key: str, entry: Entry) -> bool:
        """Store the entry of a committed change. False if Redis is unavailable: an older entry may remain."""
        try:
            self._put(key, entry, ends=None)
        except quick.RedisAway:
            return False
        return True

    def _get(self, client: redis.Redis, key: str) -> tuple[bytes | None, int]:
        """The entry, and the moment (ms, Redis's clock) before it was looked for."""
        pipeline = client.pipeline(transaction=False)
        pipeline.time()
        pipeline.get(self.redis_key(key))
        (seconds, micros), data = pipeline.execute()
        return data, seconds * 1000 + micros // 1000

    def _put(self, key: str, entry: Entry, *, ends: int | None) -> Entry:
        arguments = (str(entry.version), entry.encoded(), "" if ends is None else str(ends), str(LIFE_SECONDS * 1000))
        current = quick.ask(
            lambda client: client.eval(PUT, 1, self.redis_key(key), *arguments),
            insist=ends is None,  # a change is written even to a Redis that failed a moment ago
        )
        return Entry.decoded(current) if isinstance(current, bytes) else entry

    def redis_key(self, key: str) -> str:
        """The Redis key of an entry, for those who read many at once (`Entry.decoded`)."""
        return f"{kv.PREFIX}cache:{self.name}:{key}"


def from_default(load: Callable[[], T]) -> T:
    """The result of `load`, which reads `default`. Raises Undecidable if the database is unavailable.

    A connection that was used before may have been lost; it is replaced once.
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
            raise Undecidable("the relational database does not answer now, try again later") from error
