"""Timeouts for calls to stores that someone waits for: a store that hangs must count as down before they give up.

A refused connection fails at once, but a stopped server or a lost packet shows only at the socket's own, longer
timeout. So each call runs in a thread, and the caller waits for it only this long.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import redis

from atsite.core.circuit_breaker import CircuitBreaker
from atsite.core.clickhouse.errors import ClickHouseError, QueryTimedOut
from atsite.core.errors import AtsiteError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: Parallel calls to one store: as many as the door has connections.
THREADS = 16


class StoreAway(AtsiteError):
    """A store does not answer."""


class StoreGuard:
    """Calls to one store, with a timeout and a circuit breaker. Thread-safe.

    Each call may take `seconds`; after a failed call the store is not called for `pause` seconds (CircuitBreaker).
    """

    def __init__(self, name: str, *, seconds: float, pause: float) -> None:
        self.name = name
        self.seconds = seconds
        self._breaker = CircuitBreaker(pause=pause, trial=seconds)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"store-{name}")

    def call(self, function: Callable[[], T]) -> T:
        """The result of `function`. Raises StoreAway; errors that a retry cannot fix pass through."""
        if not self._breaker.admits():
            raise StoreAway(f"{self.name} did not answer a moment ago")
        future = self._threads.submit(function)
        try:
            result = future.result(self.seconds)
        except (TimeoutError, OSError, redis.RedisError, ConfigError, QueryTimedOut) as error:
            future.cancel()
            raise self._away(error) from error
        except ClickHouseError as error:
            if not error.retryable:
                raise
            raise self._away(error) from error
        self._breaker.succeeded()
        return result

    def _away(self, error: Exception) -> StoreAway:
        self._breaker.failed()
        return StoreAway(f"{self.name} does not answer: {type(error).__name__}")
