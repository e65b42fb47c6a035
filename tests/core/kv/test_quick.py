"""A Redis that is away holds up one caller, and is found again."""

from __future__ import annotations

import dataclasses
import socket
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import config
from atsite.core.kv import quick
from atsite.core.kv.quick import Asking, RedisAway
from tests.away import closed_port

if TYPE_CHECKING:
    import redis


def ping(client: redis.Redis) -> bool:
    return bool(client.ping())


def nobody_asks(client: redis.Redis) -> bool:
    raise AssertionError("Redis was asked")


def test_it_answers(valkey: redis.Redis) -> None:
    assert quick.ask(ping)


def test_after_a_failure_nobody_asks_for_a_moment_but_who_insists() -> None:
    away = Asking(f"redis://127.0.0.1:{closed_port()}/0", clock=lambda: 100.0)
    with pytest.raises(RedisAway, match="does not answer: ConnectionError"):
        away.ask(ping)
    with pytest.raises(RedisAway, match="a moment ago"):
        away.ask(nobody_asks)
    with pytest.raises(AssertionError, match="was asked"):
        away.ask(nobody_asks, insist=True)


@pytest.mark.parametrize("insist", [False, True])
def test_it_is_asked_again_after_the_moment_or_once_it_answered_who_insists(valkey: redis.Redis, insist: bool) -> None:
    clock = [100.0]
    asking = Asking(f"redis://127.0.0.1:{closed_port()}/0", clock=lambda: clock[0])
    with pytest.raises(RedisAway):
        asking.ask(ping)
    asking._client = Asking(config.redis_url)._client  # it came up
    if insist:
        assert asking.ask(ping, insist=True)
    else:
        clock[0] += quick.PAUSE_SECONDS
    assert asking.ask(ping)
    assert asking.ask(ping)


def test_a_redis_that_accepts_and_is_silent_counts_as_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asking = Asking(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        with pytest.raises(RedisAway, match="TimeoutError"):
            asking.ask(ping)


def test_a_site_without_a_redis_is_one_whose_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "config", dataclasses.replace(config, redis_url=""))
    with pytest.raises(RedisAway, match="no Redis is configured: set REDIS_ADDRESS"):
        quick.ask(nobody_asks)
