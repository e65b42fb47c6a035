"""Redis or Valkey: shared, fast, and lost at any moment. The one place that makes a client."""

from __future__ import annotations

from functools import lru_cache

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from atsite.core.config import config
from atsite.core.errors import ConfigError

#: Every key of this project starts so, whatever else uses the server.
PREFIX = "atsite:"


@lru_cache(maxsize=1)
def client() -> redis.Redis:
    """The process's client: thread-safe, pooled, fork-safe. Raises ConfigError when no address is known."""
    if not config.redis_url:
        raise ConfigError("no Redis is configured: set REDIS_ADDRESS, or run `./just up`, which starts one")
    return connect(config.redis_url)


def connect(url: str, *, answer_seconds: float = 5) -> redis.Redis:
    """A client of that server. A connection that died idle is replaced once, at once.

    By itself redis-py tries for 9 seconds, while a reader waits for what could be answered without Redis.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=answer_seconds,
        socket_connect_timeout=min(answer_seconds, 2),
        health_check_interval=30,
        retry=Retry(NoBackoff(), retries=1),
    )
