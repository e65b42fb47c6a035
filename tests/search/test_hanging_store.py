"""A ClickHouse that takes connections and says nothing: the search service says so, or what it remembers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import config
from search import tasks
from tests.builders import ALICE, ago, post, store
from tests.feeds.wire import Wire
from tests.search.service import SEARCH, Service, running
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

#: A caller that gives up; a hanging store was waited for longer.
CALLER_SECONDS = 10
LATER = (
    503,
    "1",
    {"error": "NotEnoughResources", "message": "the store of records cannot answer now, try again later"},
)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A connection to the session's ClickHouse that can hang."""
    host, _, port = config.clickhouse_address.rpartition(":")
    with Wire(host, int(port)) as wire:
        yield wire


@pytest.fixture
def wired(wire: Wire, clickhouse: None, valkey: redis.Redis) -> Iterator[Service]:
    """A service that reaches ClickHouse over the wire."""
    yield from running(CLICKHOUSE_ADDRESS=f"127.0.0.1:{wire.port}")


def test_its_health_and_its_numbers_come_in_time(wired: Service, wire: Wire) -> None:
    def later(path: str) -> tuple[int, str | None, object]:
        answer = wired.client.get(path, timeout=CALLER_SECONDS)
        return answer.status_code, answer.headers.get("Retry-After"), answer.json()

    store(post(ALICE, at=ago(hours=1), text="word"))
    tasks.refresh_stats()
    numbers = wired.get("/stats", days=3).json()
    assert numbers["totals"]["posts"] == 1
    period = wired.get("/stats/period", lookback_window="36h").json()
    assert period["postActors"]["count"] == 1
    assert "updatedAt" in period

    wire.hang()
    assert wired.get("/stats/period", lookback_window="36h").json() == period
    with ThreadPoolExecutor(4) as callers:  # all at the same time: each waits for seconds
        remembered = callers.submit(wired.client.get, "/stats?days=3", timeout=CALLER_SECONDS)
        refused = callers.map(later, ("/xrpc/_health", "/stats?days=4", f"{SEARCH}?q=word"))
        assert list(refused) == [LATER] * 3
        assert remembered.result().json() == numbers

    wire.mend()
    until(lambda: wired.get("/xrpc/_health").status_code == 200)
    until(lambda: wired.get("/stats", days=4).status_code == 200)
