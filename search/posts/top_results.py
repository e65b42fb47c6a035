"""Results of searches for the most engaged posts: stored lists, so that the pages of one walk are of one order.

A result is made once for all who ask the same within LIFE, and named in the cursor. It is in Redis, for all processes,
and in the process that made or read it. All together take at most MEMORY in each; then the oldest go. A walk whose
result is gone ends.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from hashlib import sha256
from time import monotonic, time
from typing import TYPE_CHECKING, Final, cast

from atsite.core import cursor_format, kv
from atsite.core.cursor_format import InvalidCursor
from atsite.core.kv import quick
from atsite.core.ttl_cache import TtlCache
from indexer.index.page_refill import Candidates, fill
from indexer.index.posts.post_key import PostKey
from search.posts import top
from search.posts.search import PATIENCE_SECONDS, Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    import redis

    from indexer.index.query.conditions import Where
    from search.posts.hidden import Hidden

CURSOR_KIND: Final = "search.top"
#: Seconds that a result is kept.
LIFE: Final = 600
#: Bytes of all results, in Redis and in each process.
MEMORY: Final = 64 * 1024 * 1024
#: The most of one result, packed: 1,000 keys of 13 and 32 characters and their separators, were they not packed at all.
RESULT_BYTES: Final = 64 * 1024
DAY_MICROS: Final = 24 * 3600 * 1_000_000
#: The period: by default, and at most.
DAYS, DAYS_MAX = 7, 30
_PREFIX: Final = f"{kv.PREFIX}search:top:"
_ALL: Final = f"{kv.PREFIX}search:tops"

#: Name -> the packed result.
_RESULTS: Final[TtlCache[str, bytes]] = TtlCache(size=MEMORY, seconds=LIFE, weight=len)
#: Question -> name of its result.
_NAMES: Final[TtlCache[str, str]] = TtlCache(size=MEMORY // RESULT_BYTES * 4, seconds=LIFE)


def page(where: Where, hidden: Hidden, *, limit: int, cursor: str | None, now: int) -> Page:
    """At most `limit` posts after `cursor`, best first, without `hidden`. `now`: unix microseconds.

    Raises InvalidCursor, NothingToShow, and what the door raises.
    """
    question = sha256(where.text.encode()).hexdigest()[:16]
    if cursor is None:
        name, start = _NAMES.get(question, lambda: _make(question, where, now), single_flight=True), 0
    else:
        name, start = _decode(cursor, question)
    packed = _read(name)
    if packed is None:
        return Page((), None)
    keys = _unpacked(packed)

    def read(position: int, size: int) -> Candidates[PostKey, int]:
        end = position + size
        return Candidates(keys[position:end], end if end < len(keys) else None)

    places = {key: place for place, key in enumerate(keys, 1)}
    deadline = monotonic() + PATIENCE_SECONDS
    filled = fill(start, limit, read=read, shown=hidden.alive, position=places.__getitem__, deadline=deadline)
    next_page = None if filled.next is None else cursor_format.encode(CURSOR_KIND, name, filled.next)
    return Page(filled.entries, next_page)


def period(where: Where, now: int) -> tuple[int, int]:
    """The first moment of the period whose posts are ranked, and the one after it (unix microseconds)."""
    until = now if where.until is None else min(where.until, now)
    since = until - DAYS * DAY_MICROS if where.since is None else where.since
    return max(since, until - DAYS_MAX * DAY_MICROS), until


def _make(question: str, where: Where, now: int) -> str:
    """Make and store a result; its name."""
    since, until = period(where, now)
    keys = top.best(where, since=since, until=until)
    packed = zlib.compress("\n".join(f"{key.rkey} {key.did}" for key in keys).encode(), 1)
    name = f"{question}{now:x}"
    _RESULTS.put(name, packed)
    if len(packed) <= RESULT_BYTES:
        with suppress(quick.RedisAway):  # this process has it
            quick.ask(lambda client: _store(client, name, packed))
    return name


def _store(client: redis.Redis, name: str, packed: bytes) -> None:
    with client.pipeline(transaction=True) as pipe:
        pipe.set(_PREFIX + name, packed, ex=LIFE)
        pipe.zadd(_ALL, {name: time()})
        pipe.zremrangebyscore(_ALL, 0, time() - LIFE)
        pipe.expire(_ALL, LIFE)
        pipe.zrange(_ALL, 0, -MEMORY // RESULT_BYTES - 1)
        oldest = cast("list[bytes]", pipe.execute()[-1])
    if oldest:
        client.zrem(_ALL, *oldest)
        client.delete(*(_PREFIX + each.decode() for each in oldest))


def _read(name: str) -> bytes | None:
    packed = _RESULTS.peek(name)
    if packed is None:
        try:
            packed = cast("bytes | None", quick.ask(lambda client: client.get(_PREFIX + name)))
        except quick.RedisAway:
            return None
        if packed is not None:
            _RESULTS.put(name, packed)
    return packed


def _unpacked(packed: bytes) -> Sequence[PostKey]:
    lines = zlib.decompress(packed).decode().splitlines()
    return [PostKey(*line.split(" ")) for line in lines]


def _decode(cursor: str, question: str) -> tuple[str, int]:
    name, start = cursor_format.decode(CURSOR_KIND, cursor, str, int)
    if not name.startswith(question) or start < 0:
        raise InvalidCursor("the cursor belongs to another search")
    return name, start
