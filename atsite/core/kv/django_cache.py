"""Django's cache (settings.CACHES) over this package's client: django-redis with the same server, times and pool."""

from __future__ import annotations

from typing import Final

import redis
from django_redis.exceptions import ConnectionInterrupted
from django_redis.pool import ConnectionFactory

from atsite.core import kv

#: What a call of the cache raises while Redis is away.
CACHE_AWAY: Final = (ConnectionInterrupted, redis.RedisError)


class SharedClient(ConnectionFactory):  # type: ignore[misc]
    """Hands django-redis the process's one client instead of making another."""

    def connect(self, url: str) -> redis.Redis:
        """The client of the configured server, whatever `url` says. Raises ConfigError when no address is known."""
        return kv.client()

    def disconnect(self, connection: redis.Redis) -> None:
        """Leave the connections to the others that use them."""
