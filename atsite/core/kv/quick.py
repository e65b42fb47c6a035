"""Redis calls while a user waits: Redis answers within half a second, or it counts as unavailable.

After a failed call there is a short pause without calls (CircuitBreaker). The caller then works without Redis.
"""

from __future__ import annotations

from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from atsite.core.circuit_breaker import CircuitBreaker
from atsite.core.config import config
from atsite.core.errors import AtsiteError

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: A call takes a fraction of a millisecond; a reader of a feed is gone after a few seconds.
ANSWER_SECONDS = 0.5
#: A restarted Redis is back within about a second.
PAUSE_SECONDS = 1.0


class RedisAway(AtsiteError):
    """Redis does not answer now, or none is configured."""


class Asking:
    """Calls of one Redis. Thread-safe."""

    def __init__(self, url: str, *, clock: Callable[[], float] = monotonic) -> None:
        self.url = url
        # A call connects and then asks.
        self._breaker = CircuitBreaker(pause=PAUSE_SECONDS, trial=2 * ANSWER_SECONDS, clock=clock)
        self._client = redis.Redis.from_url(
            url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
        )

    def ask(self, call: Callable[[redis.Redis], T], *, insist: bool = False) -> T:
        """The result of `call`. Raises RedisAway; at once in the pause after a failure, unless `insist`."""
        if not insist and not self._breaker.admits():
            raise RedisAway("Redis did not answer a moment ago")
        try:
            result = call(self._client)
        except redis.RedisError as error:
            if self._breaker.failed():
                log.warning("redis.away", error=type(error).__name__)
            raise RedisAway(f"Redis does not answer: {type(error).__name__}") from error
        self._breaker.succeeded()
        return result


@lru_cache(maxsize=4)
def _asking(url: str) -> Asking:
    return Asking(url)


def asking() -> Asking | None:
    """Calls of the process's Redis; None if no address is configured."""
    return _asking(config.redis_url) if config.redis_url else None


def ask(call: Callable[[redis.Redis], T], *, insist: bool = False) -> T:
    """`Asking.ask` of the process's Redis; without an address it counts as unavailable."""
    known = asking()
    if known is None:
        raise RedisAway("no Redis is configured: set REDIS_ADDRESS")
    return known.ask(call, insist=insist)
