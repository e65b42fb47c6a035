"""Values that a process remembers for a moment: bounded in number and in age.

What looks alike and is not built on this, and why:
- `atsite.core.published.process_copies.LocalCopy` checks a counter in Redis and keeps its last value while the
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
    refresh_at: float
    ends_at: float


class TtlCache(Generic[K, V]):
    """At most `size` values, each until `seconds` after the moment that it is of. Thread-safe.

    Beyond `size` the value that was put first goes first; ended values go as new ones come, without a search for them.
    With `refresh_after` (seconds), the first `peek` past that age finds nothing, so that its caller asks again, and the
    others go on with the value until it ends. `clock` may count in any unit, which is then the unit of the ages.
    """

    def __init__(
        self,
        *,
        size: int,
        seconds: float,
        refresh_after: float | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._size = size
        self._seconds = seconds
        self._refresh_after = seconds if refresh_after is None else refresh_after
        self._clock = clock
        self._lock = threading.Lock()
        #: In the order in which they end, as each was put behind the others.
        self._entries: dict[K, _Entry[V]] = {}
        self._asking: dict[K, Future[V]] = {}

    def peek(self, key: K, *, at: float | None = None) -> V | None:
        """The value of `key` at the moment `at` (now); None where there is none any more."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        now = self._clock() if at is None else at
        if now >= entry.ends_at or (now >= entry.refresh_at and self._takes_refresh(entry)):
            return None
        return entry.value

    def put(self, key: K, value: V, *, at: float | None = None) -> None:
        """Remember `value`, which is of the moment `at` (now)."""
        now = self._clock() if at is None else at
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = _Entry(value, now + self._refresh_after, now + self._seconds)
            while self._entries:
                first = next(iter(self._entries))
                if len(self._entries) <= self._size and self._entries[first].ends_at > now:
                    return
                del self._entries[first]

    def drop(self, key: K) -> None:
        """Forget the value of `key`, if there is one."""
        with self._lock:
            self._entries.pop(key, None)

    def get(self, key: K, ask: Callable[[], V], *, single_flight: bool = False) -> V:
        """The value of `key`, else what `ask` answers; it counts as of the moment before the question.

        With `single_flight`, callers who come while another asks for the same key wait for its answer. Raises what
        `ask` raises, for those who wait as well; an error is not remembered.
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
                return known.value  # it came since this caller looked
            future = self._asking.setdefault(key, Future())
        if running is None:
            try:
                future.set_result(self._asked(key, ask, at))
            except BaseException as error:
                future.set_exception(error)
            finally:
                del self._asking[key]
        return future.result()

    def items(self, *, at: float | None = None) -> dict[K, V]:
        """All values at the moment `at` (now): for what is done rarely, as each is looked at."""
        now = self._clock() if at is None else at
        with self._lock:
            return {key: entry.value for key, entry in self._entries.items() if now < entry.ends_at}

    def __len__(self) -> int:
        return len(self._entries)

    def _asked(self, key: K, ask: Callable[[], V], at: float) -> V:
        value = ask()
        self.put(key, value, at=at)
        return value

    def _takes_refresh(self, entry: _Entry[V]) -> bool:
        with self._lock:
            mine, entry.refresh_at = entry.refresh_at < entry.ends_at, entry.ends_at
        return mine
