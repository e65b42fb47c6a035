"""Django's cache (settings.CACHES) over this package's client: django-redis with the same server, times and pool."""

from __future__ import annotations

from typing import Final

import redis
from django_redis.exceptions import ConnectionInterrupted
from django_redis.pool import ConnectionFactory

from atsite.core import kv

#: The errors of a cache call while Redis is unavailable.
CACHE_AWAY: Final = (ConnectionInterrupted, redis.RedisError)


class SharedClient(ConnectionFactory):  # type: ignore[misc]
    """Gives django-redis the process's client instead of a new one."""

    def connect(self, url: str) -> redis.Redis:
        """The client of the configured server; ignores `url`. Raises ConfigError if no address is configured."""
        return kv.client()

    def disconnect(self, connection: redis.Redis) -> None:
        """Does nothing: others use the same connections."""
