"""Redis or Valkey: shared and fast, but its data may be lost at any time. Only this package makes clients."""

from __future__ import annotations

from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from atsite.core.config import config
from atsite.core.errors import ConfigError

#: The prefix of every key of this project, as others may use the server.
PREFIX = "atsite:"


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """The process's client: thread-safe, pooled, fork-safe. Raises ConfigError if no address is configured."""
    if not config.redis_url:
        raise ConfigError("no Redis is configured: set REDIS_ADDRESS, or run `./just up`, which starts one")
    return connect(config.redis_url)


def connect(url: str, *, answer_seconds: float = 5) -> redis.Redis:
    """A client of that server. A connection that was lost while idle is replaced once, at once.

    By default redis-py retries for 9 seconds, while a reader waits for an answer that does not need Redis.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=answer_seconds,
        socket_connect_timeout=min(answer_seconds, 2),
        health_check_interval=30,
        retry=Retry(NoBackoff(), retries=1),
    )
