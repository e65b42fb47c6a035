"""Copies inside a process of small sets of rows that every request needs: definitions, blocks.

Each change raises one counter in Redis. A process reads it at most every half second and reloads when it has moved, so
a change takes effect within a second, also in pages that were made from it (feeds.serving.ready_pages). Without Redis
it reloads every half second. Never use it for membership or keys.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import structlog

from atsite.core import kv
from atsite.core.copies.errors import Undecidable
from atsite.core.copies.redis_cache import from_default
from atsite.core.kv import quick

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

T = TypeVar("T")

KEY: Final = f"{kv.PREFIX}publish:changes"
#: Half of the second within which a change must be effective.
COUNTER_SECONDS: Final = 0.5
RELOAD_SECONDS: Final = 0.5
#: If the counter could not be raised, processes see the change after this long.
LIFE_SECONDS: Final = 30.0

#: Stands for a counter that cannot be read.
AWAY: Final = object()

#: The counter never repeats a number, even after Redis lost its data: it counts in microseconds of Redis's clock.
RAISE: Final = """
local time = redis.call("time")
local now = time[1] * 1000000 + time[2]
local held = tonumber(redis.call("get", KEYS[1]) or "0")
redis.call("set", KEYS[1], string.format("%.0f", math.max(now, held + 1)))
return 1
"""


def raise_counter() -> bool:
    """Make every process reload its copies. False if Redis is unavailable: then they reload within LIFE_SECONDS."""
    try:
        quick.ask(lambda client: client.eval(RAISE, 1, KEY), insist=True)
    except quick.RedisAway:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Held(Generic[T]):
    value: T
    counter: object
    loaded_at: float


class LocalCopy(Generic[T]):
    """A copy in this process of what `load` reads from `default`. Thread-safe; one thread loads, others do not wait."""

    def __init__(self, name: str, load: Callable[[], T], *, clock: Callable[[], float] = monotonic) -> None:
        self.name = name
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held[T] | None = None
        self._check_at = 0.0

    def get(self) -> T:
        """The value, at most a second old; while `default` is unavailable, the last known one.

        Raises Undecidable if `default` is unavailable and nothing was loaded before.
        """
        held = self._held
        if held is not None and self._clock() < self._check_at:
            return held.value
        if not self._lock.acquire(blocking=held is None):
            assert held is not None
            return held.value  # another thread is loading it
        try:
            return self._checked().value
        finally:
            self._lock.release()

    def drop(self) -> None:
        """Forget the value: the next `get` loads it."""
        with self._lock:
            self._held = None

    def _checked(self) -> _Held[T]:
        held, now = self._held, self._clock()
        if held is not None and now < self._check_at:
            return held  # another thread has just loaded it
        counter = self._counter()  # before loading, so that the next check sees a change in between
        self._check_at = now + (RELOAD_SECONDS if counter is AWAY else COUNTER_SECONDS)
        if held is not None and counter is not AWAY and counter == held.counter and now < held.loaded_at + LIFE_SECONDS:
            return held
        try:
            self._held = _Held(from_default(self._load), counter, now)
        except Undecidable:
            if held is None:
                raise
            log.warning("local_copy.kept", copy=self.name)
            return held
        return self._held

    def _counter(self) -> object:
        try:
            return quick.ask(lambda client: client.get(KEY))
        except quick.RedisAway:
            return AWAY
