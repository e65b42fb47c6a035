"""Reads several stores at the same time, and counts one that does not answer in time as unavailable."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import DatabaseError

from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.errors import ConfigError
from atsite.core.kv.quick import RedisAway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = structlog.get_logger(__name__)

#: The errors of an unavailable store.
AWAY: Final = (ClickHouseError, RedisAway, DatabaseError, ConfigError, OSError)


@dataclass(slots=True)
class CachedRead:
    """Something to read. A value is reused for `every` seconds, for all callers."""

    read: Callable[[], Any]
    every: float
    _value: Any = None
    _read_at: float = field(default=float("-inf"))
    _running: Future[Any] | None = None

    def begin(self, pool: ThreadPoolExecutor, now: float) -> Future[Any] | None:
        """The read in progress, started now if the last value is too old. One source is never read twice at once."""
        if self._running is None and now - self._read_at >= self.every:
            self._running = pool.submit(self._attempt)
        return self._running

    def end(self, now: float) -> Any:
        """The last value, or None while a read that should have ended has not."""
        if self._running is None:
            return self._value
        if not self._running.done():
            return None
        future, self._running = self._running, None
        self._value, self._read_at = future.result(), now
        return self._value

    def _attempt(self) -> Any:
        try:
            return self.read()
        except AWAY as error:
            log.info("dashboard.away", error=type(error).__name__)
            return None


class ConcurrentReads:
    """The newest values of all sources. Thread-safe: one caller asks the stores, the others share its answers."""

    def __init__(self, sources: Mapping[str, CachedRead], *, clock: Callable[[], float] = monotonic) -> None:
        self._sources = sources
        self._clock = clock
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(len(sources), thread_name_prefix="dashboard")

    def values(self, *, timeout: float) -> dict[str, Any]:
        """Source -> value, None for what did not answer within `timeout` seconds."""
        with self._lock:
            running = [source.begin(self._pool, self._clock()) for source in self._sources.values()]
            wait([future for future in running if future is not None], timeout=timeout)
            return {name: source.end(self._clock()) for name, source in self._sources.items()}
