"""Storage of generations: in Redis, shared by all processes, and as copies in each process that served them.

A generation is kept for IDLE after the last page read from it, and for LIFE at most. If Redis is down or was emptied,
a process goes on serving the copies it has.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core import kv
from atsite.core.atproto.tid import is_tid
from atsite.core.kv.lock import Lock
from atsite.core.ttl_cache import TtlCache
from atsite.core.web.store_timeouts import StoreAway, StoreGuard
from feeds.ranking.feed import FeedUnavailable
from feeds.ranking.ranking import Generation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

SECOND: Final = 1_000_000
#: Microseconds that a generation is kept after the last page read from it, and at most.
IDLE: Final = 30 * 60 * SECOND
LIFE: Final = 6 * 3600 * SECOND
#: At most this often a process extends the life of a generation in Redis; the life there is longer by this.
TOUCH: Final = 30 * SECOND
#: Posts in the copies of a process, 15 to 20 bytes each, and how many more each copy counts as. The least recently read
#: copies are dropped first.
COPIED_POSTS: Final = 8_000_000
COPY_POSTS: Final = 50


@dataclass(slots=True)
class _Copy:
    generation: Generation
    #: When its life in Redis was last extended; 0: never.
    told_at: int = 0


class Generations:
    """The generations of all ranked feeds. Thread-safe. Feeds are identified by their definition's `key`."""

    def __init__(self, client: Callable[[], redis.Redis] = kv.client) -> None:
        self._client = client
        # Redis answers within a millisecond; 0.5 s is a lost packet, not a slow answer.
        self._redis = StoreGuard("redis", seconds=0.5, pause=1.0)
        # By feed and id. Each reading puts a copy in again, so that it stays IDLE after the last one (microseconds).
        self._copies: TtlCache[tuple[str, str], _Copy] = TtlCache(
            size=COPIED_POSTS, seconds=IDLE, weight=lambda copy: len(copy.generation.posts) + COPY_POSTS
        )
        #: Feed -> the id of its newest copy.
        self._newest: TtlCache[str, str] = TtlCache(size=COPIED_POSTS // COPY_POSTS, seconds=IDLE)

    def store(self, feed: str, generation: Generation, *, now: int) -> None:
        """Store the generation and make it the current one, in one transaction. Raises redis.RedisError."""
        with self._client().pipeline(transaction=True) as pipe:
            pipe.set(
                _key(feed, generation.id),
                generation.encode(),
                px=_milliseconds(min(IDLE + TOUCH, _life(generation, now))),
            )
            pipe.set(_current_key(feed), generation.id, px=_milliseconds(LIFE))
            pipe.execute()

    def keep(self, feed: str, generation: Generation, *, now: int) -> None:
        """Keep a generation as a copy of this process and, as far as Redis answers, as the current one of all.

        One that another process made later stays the current one.
        """
        self._keep_copy(feed, _Copy(generation.packed()), now)

        def as_current() -> None:
            newest = self.newest(feed, now=now)
            if newest is None or newest.id < generation.id:
                self.store(feed, generation, now=now)

        with suppress(StoreAway):
            self._redis.call(as_current)

    def newest(self, feed: str, *, now: int) -> Generation | None:
        """The current generation in Redis, for a refresh. Raises redis.RedisError."""
        id = _text(self._client().get(_current_key(feed)))
        return None if id is None else self._decoded(self._client().get(_key(feed, id)), id, now)

    def is_stored(self, feed: str, *, after: int, now: int) -> bool:
        """Whether Redis has a generation of the feed made later than `after`; False if it does not answer."""
        with suppress(StoreAway):
            newest = self._redis.call(lambda: self.newest(feed, now=now))
            return newest is not None and newest.made_at > after
        return False

    @contextmanager
    def turn(self, feed: str, *, seconds: float) -> Iterator[bool]:
        """Yields whether the caller is the one process that makes a ranking of the feed now, for `seconds` at most.

        If Redis does not answer, each process is.
        """

        def take() -> Lock | None:
            lock = Lock(f"ranking:{feed}", seconds, self._client())
            return lock if lock.acquire() else None

        try:
            lock = self._redis.call(take)
        except StoreAway:
            yield True
            return
        try:
            yield lock is not None
        finally:
            if lock is not None:
                with suppress(StoreAway):
                    self._redis.call(lock.release)

    def current(self, feed: str, *, now: int) -> Generation | None:
        """The generation for a first page: the current one, else the newest copy in this process."""
        try:
            id = self._redis.call(lambda: _text(self._client().get(_current_key(feed))))
            if id is not None:
                found = self.get(feed, id, now=now)
                if found is not None:
                    return found
        except (StoreAway, FeedUnavailable):
            pass
        copied = self._newest.peek(feed, at=now)
        return None if copied is None else self.get(feed, copied, now=now)

    def get(self, feed: str, id: str, *, now: int) -> Generation | None:
        """A generation of the feed, or None if it has expired.

        Raises FeedUnavailable if Redis is down and this process has no copy.
        """
        copy = self._copies.peek((feed, id), at=now)
        if copy is not None and _life(copy.generation, now) <= 0:
            return None
        if copy is None:
            try:
                stored = self._redis.call(lambda: self._client().get(_key(feed, id)))
            except StoreAway as error:
                raise FeedUnavailable("the stored ranking cannot be read now") from error
            generation = self._decoded(stored, id, now)
            if generation is None:
                return None
            copy = _Copy(generation)
        self._keep_copy(feed, copy, now)
        self._touch(feed, copy, now)
        return copy.generation

    def _keep_copy(self, feed: str, copy: _Copy, now: int) -> None:
        """Keep a copy IDLE from now on, as the newest one unless there is a newer one."""
        id = copy.generation.id
        self._copies.put((feed, id), copy, at=now)
        newest = self._newest.peek(feed, at=now)
        if newest is None or newest <= id or self._copies.peek((feed, newest), at=now) is None:
            self._newest.put(feed, id, at=now)

    def _decoded(self, stored: object, id: str, now: int) -> Generation | None:
        """The generation in a value from Redis; None if the value is not valid."""
        if not isinstance(stored, bytes):
            return None
        try:
            generation = Generation.decode(stored)
        except ValueError:
            return None
        return generation if generation.id == id and _life(generation, now) > 0 else None

    def _touch(self, feed: str, copy: _Copy, now: int) -> None:
        """Extend the generation's life in Redis, not too often, and store it again if Redis lost it."""
        if now - copy.told_at < TOUCH:
            return
        copy.told_at = now
        key, life = _key(feed, copy.generation.id), _milliseconds(min(IDLE + TOUCH, _life(copy.generation, now)))

        def tell() -> None:
            if not self._client().pexpire(key, life):
                self._client().set(key, copy.generation.encode(), px=life, nx=True)

        try:
            self._redis.call(tell)
        except StoreAway:
            copy.told_at = 0


def _life(generation: Generation, now: int) -> int:
    """Microseconds that a generation may still be kept, at most."""
    return generation.made_at + LIFE - now


def _milliseconds(micros: int) -> int:
    return max(micros // 1000, 1)


def _key(feed: str, id: str) -> str:
    return f"{kv.PREFIX}feeds:{feed}:generation:{id}"


def _current_key(feed: str) -> str:
    return f"{kv.PREFIX}feeds:{feed}:current"


def _text(value: object) -> str | None:
    """The id stored in Redis; None if there is none or it is not an id."""
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else ""
    return text if is_tid(text) else None
