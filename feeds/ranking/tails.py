"""Tails: the newest posts of a feed, kept in Redis, so that its pages need not ask the index.

A tail holds every post of its list from its `floor` on; below that, pages read the index. A task renews the tails of
feeds whose first page was read in the last IDLE. A tail that was not compared with the index for STALE is not used, and
neither is one that Redis does not give: pages read the index then.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self, runtime_checkable

import msgspec
import redis
import structlog

from atsite.core import kv
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.kv.lock import single_flight
from atsite.core.ttl_cache import TtlCache
from atsite.core.web.store_timeouts import StoreAway, StoreGuard
from feeds.ranking import metrics
from feeds.ranking.feed import Feed, FeedUnavailable, PostKey
from feeds.ranking.generations import SECOND
from feeds.ranking.packed_posts import PackedPosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

log = structlog.get_logger(__name__)

#: Microseconds after the last first page for which a tail is renewed.
IDLE: Final = 10 * 60 * SECOND
#: A process tells Redis at most this often that a feed is read (microseconds).
TOUCH: Final = 30 * SECOND
#: A process keeps a copy this long (microseconds).
COPY: Final = SECOND
COPIES: Final = 1_000
#: The age of its last comparison at which a tail is no longer used (microseconds).
STALE: Final = 55 * SECOND
#: Rounds do not overlap; one that died is not waited for longer than this.
LOCK_SECONDS: Final = 60
#: Seconds in which a round begins to renew tails.
ROUND_SECONDS: Final = 12

Outcome = Literal["unread", "filled", "extended", "compared", "failed"]


@dataclass(frozen=True, slots=True)
class Tail:
    """The newest posts of a list, newest first."""

    posts: Sequence[PostKey]
    #: Every post of the list from this key on is in the tail; None: every post is.
    floor: PostKey | None
    #: When all of it was compared with the index, and when its newest part was (unix microseconds).
    compared_at: int
    extended_at: int

    def below(self, key: PostKey, limit: int) -> Sequence[PostKey]:
        """The first `limit` posts below `key`."""
        start = bisect_left(self.posts, True, key=lambda post: post < key)
        return self.posts[start : start + limit]

    def encode(self) -> bytes:
        """As stored: compressed JSON."""
        floor = None if self.floor is None else [self.floor.rkey, self.floor.did]
        posts = [f"{post.did}/{post.rkey}" for post in self.posts]
        return zlib.compress(msgspec.json.encode([self.compared_at, self.extended_at, floor, posts]), 1)

    @classmethod
    def decode(cls, stored: bytes) -> Self:
        """The reverse of `encode`; raises ValueError for anything else."""
        form = tuple[int, int, tuple[str, str] | None, list[str]]
        try:
            compared_at, extended_at, floor, posts = msgspec.json.decode(zlib.decompress(stored), type=form)
        except (zlib.error, msgspec.MsgspecError) as error:
            raise ValueError("not a stored tail") from error
        packed = PackedPosts((rkey, did) for did, _, rkey in (post.partition("/") for post in posts))
        return cls(packed, None if floor is None else PostKey(*floor), compared_at, extended_at)


@dataclass(frozen=True, slots=True)
class _Copy:
    tail: Tail | None


class Tails:
    """The tails of all feeds. Thread-safe. `name` identifies a list: a changed definition is another one."""

    def __init__(self, client: Callable[[], redis.Redis] = kv.client) -> None:
        self._client = client
        self._redis = StoreGuard("redis", seconds=0.5, pause=1.0)
        self._copies: TtlCache[str, _Copy] = TtlCache(size=COPIES, seconds=COPY)
        self._told: TtlCache[str, bool] = TtlCache(size=COPIES, seconds=TOUCH)

    def usable(self, name: str, *, now: int) -> Tail | None:
        """The tail for a page; None if there is none that is up to date."""
        copy = self._copies.peek(name, at=now)
        if copy is None:
            try:
                copy = _Copy(self._redis.call(lambda: self.stored(name)))
            except StoreAway:
                return None
            self._copies.put(name, copy, at=now)
        tail = copy.tail
        return tail if tail is not None and now - tail.compared_at < STALE else None

    def note_read(self, name: str, *, now: int) -> None:
        """Note that a first page was read, so that the tail is renewed."""
        if self._told.peek(name, at=now) is not None:
            return
        self._told.put(name, True, at=now)
        with suppress(StoreAway):
            self._redis.call(lambda: self._client().set(_read_key(name), b"1", px=IDLE // 1000))

    def is_read(self, name: str) -> bool:
        """Whether a first page was read in the last IDLE. Raises redis.RedisError."""
        return bool(self._client().exists(_read_key(name)))

    def stored(self, name: str) -> Tail | None:
        """The tail in Redis. Raises redis.RedisError."""
        value = self._client().get(_key(name))
        with suppress(ValueError):
            return Tail.decode(value) if isinstance(value, bytes) else None
        return None

    def store(self, name: str, tail: Tail) -> None:
        """Store the tail for as long as it may be used. Raises redis.RedisError."""
        self._client().set(_key(name), tail.encode(), px=STALE // 1000)


@runtime_checkable
class TailedFeed(Feed, Protocol):
    """A feed whose newest posts are kept as a tail."""

    def renew_tail(self, now: int) -> Outcome:
        """Bring its tail up to date, if the feed is read. Raises ClickHouseError, redis.RedisError, FeedUnavailable."""


def renew(feeds: Iterable[TailedFeed], *, now: Callable[[], int]) -> dict[str, Outcome]:
    """Bring the tails of these feeds up to date, unless another process does; feed -> outcome.

    A feed that fails is logged and counted. After ROUND_SECONDS no other is begun: the next round begins with those.
    """
    outcomes: dict[str, Outcome] = {}
    begun = now()
    with single_flight("feeds:tails", LOCK_SECONDS) as mine:
        for feed in _waiting_longest(feeds) if mine else ():
            if now() - begun >= ROUND_SECONDS * SECOND:
                break
            key = feed.definition.key
            try:
                outcomes[key] = feed.renew_tail(now())
            except (ClickHouseError, redis.RedisError, FeedUnavailable) as error:
                log.warning("feed_tail_not_renewed", feed=feed.definition.rkey, error=type(error).__name__)
                outcomes[key] = "failed"
            metrics.TAILS.labels(outcome=outcomes[key]).inc()
            _renewed_at[key] = begun
    return outcomes


#: When each feed had its turn in this process.
_renewed_at: Final[dict[str, int]] = {}


def _waiting_longest(feeds: Iterable[TailedFeed]) -> list[TailedFeed]:
    found = {feed.definition.key: feed for feed in feeds}
    for gone in _renewed_at.keys() - found.keys():
        del _renewed_at[gone]
    return sorted(found.values(), key=lambda feed: _renewed_at.get(feed.definition.key, 0))


def _key(name: str) -> str:
    return f"{kv.PREFIX}feeds:{name}:tail"


def _read_key(name: str) -> str:
    return f"{kv.PREFIX}feeds:{name}:tail-read"
