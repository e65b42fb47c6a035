"""A Redis that is away holds up one caller, and is found again."""

from __future__ import annotations

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


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that `quick` reads, in seconds: set its one element."""
    now = [100.0]
    monkeypatch.setattr(quick, "monotonic", lambda: now[0])
    return now


def test_after_a_failure_nobody_asks_for_a_moment_but_who_insists(clock: list[float]) -> None:
    away = Asking(f"redis://127.0.0.1:{closed_port()}/0")
    with pytest.raises(RedisAway, match="does not answer: ConnectionError"):
        away.ask(ping)
    with pytest.raises(RedisAway, match="a moment ago"):
        away.ask(nobody_asks)
    with pytest.raises(AssertionError, match="was asked"):
        away.ask(nobody_asks, insist=True)


def test_after_the_moment_it_is_asked_again(valkey: redis.Redis, clock: list[float]) -> None:
    asking = Asking(f"redis://127.0.0.1:{closed_port()}/0")
    with pytest.raises(RedisAway):
        asking.ask(ping)
    asking._client = Asking(config.redis_url)._client  # it came up
    clock[0] += quick.PAUSE_SECONDS
    assert asking.ask(ping)


def test_a_redis_that_accepts_and_is_silent_counts_as_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asking = Asking(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        with pytest.raises(RedisAway, match="TimeoutError"):
            asking.ask(ping)
