"""The client of Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core import kv
from atsite.core.config import config
from atsite.core.kv import quick

if TYPE_CHECKING:
    import redis


def test_a_connection_that_died_while_it_was_idle_is_replaced_at_once(valkey: redis.Redis) -> None:
    client = kv.client()
    client.set("key", "value")
    with kv.connect(config.redis_url) as other:
        assert other.client_kill_filter(_type="normal", skipme=True)
    assert client.get("key") == b"value"


@pytest.mark.parametrize(
    ("client", "answers", "connects", "retries"),
    [
        (kv.connect("redis://127.0.0.1:1/0"), 5, 2, 1),
        (kv.connect("redis://127.0.0.1:1/0", answer_seconds=1.5), 1.5, 1.5, 1),
        (quick.Asking("redis://127.0.0.1:1/0")._client, 0.5, 0.5, 0),
    ],
    ids=["usual", "shorter", "quick"],
)
def test_a_server_that_hangs_is_waited_for_no_longer_than_its_caller_has_time(
    client: redis.Redis, answers: float, connects: float, retries: int
) -> None:
    options = client.connection_pool.connection_kwargs
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (answers, connects)
    assert options["retry"].get_retries() == retries


def test_a_connection_that_is_kept_is_looked_after() -> None:
    assert kv.connect("redis://127.0.0.1:1/0").connection_pool.connection_kwargs["health_check_interval"] == 30
