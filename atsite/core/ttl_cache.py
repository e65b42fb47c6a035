"""A cache in a process, bounded in size and age.

Similar classes that do not use it, and why:
- `atsite.core.copies.process_copies.LocalCopy` checks a counter in Redis and keeps its last value while the
  database is away.
- `feeds.ranking.coalescing.Coalescer` remembers nothing: each caller gets an answer that was begun after its call.
- `atsite.dashboard.concurrent_reads` answers None for what takes too long, and goes on reading it in the background.
- `atsite.core.in_flight.InFlight` is for coroutines.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    ends_at: float


class TtlCache(Generic[K, V]):
    """At most `size` values, each valid for `seconds` from its time. Thread-safe.

    Beyond `size` the oldest value is dropped first; expired values are dropped as new ones come. `clock` may use any
    unit, which is then the unit of the ages. `weight`: how much of `size` a value takes.
    """

    def __init__(
        self,
        *,
        size: int,
        seconds: float,
        clock: Callable[[], float] = monotonic,
        weight: Callable[[V], int] = lambda _: 1,
    ) -> None:
        self._size = size
        self._weight = weight
        self._held = 0
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        #: In the order in which they expire, because each was added at the end.
        self._entries: dict[K, _Entry[V]] = {}
        self._asking: dict[K, Future[V]] = {}

    def peek(self, key: K, *, at: float | None = None) -> V | None:
        """The value of `key` at the time `at` (default: now); None if there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._clock() if at is None else at
        return entry.value if now < entry.ends_at else None

    def put(self, key: K, value: V, *, at: float | None = None) -> None:
        """Store `value`, which is of the time `at` (default: now)."""
        now = self._clock() if at is None else at
        with self._lock:
            self._remove(key)
            self._entries[key] = _Entry(value, now + self._seconds)
            self._held += self._weight(value)
            while self._entries:
                first = next(iter(self._entries))
                if self._held <= self._size and self._entries[first].ends_at > now:
                    return
                self._remove(first)

    def drop(self, key: K) -> None:
        """Forget the value of `key`, if there is one."""
        with self._lock:
            self._remove(key)

    def get(self, key: K, ask: Callable[[], V], *, single_flight: bool = False) -> V:
        """The value of `key`, else the result of `ask`, which counts from the time before the call.

        With `single_flight`, callers that come while another asks for the same key wait for its answer. Raises the
        errors of `ask`, also for those that wait; errors are not cached.
        """
        at, seen = self._clock(), self._entries.get(key)
        value = self.peek(key, at=at)
        if value is not None:
            return value
        if not single_flight:
            return self._asked(key, ask, at)
        with self._lock:
            known, running = self._entries.get(key), self._asking.get(key)
            if running is None and known is not None and known is not seen:
                return known.value  # added since this caller checked
            future = self._asking.setdefault(key, Future())
        if running is None:
            try:
                future.set_result(self._asked(key, ask, at))
            except BaseException as error:
                future.set_exception(error)
            finally:
                del self._asking[key]
        return future.result()

    def __len__(self) -> int:
        return len(self._entries)

    def _remove(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._held -= self._weight(entry.value)

    def _asked(self, key: K, ask: Callable[[], V], at: float) -> V:
        value = ask()
        self.put(key, value, at=at)
        return value
