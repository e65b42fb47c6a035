"""The client of Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core import kv
from atsite.core.config import config

if TYPE_CHECKING:
    import redis


def test_a_connection_that_died_while_it_was_idle_is_replaced_at_once(valkey: redis.Redis) -> None:
    client = kv.client()
    client.set("key", "value")
    with kv.connect(config.redis_url) as other:
        assert other.client_kill_filter(_type="normal", skipme=True)
    assert client.get("key") == b"value"
