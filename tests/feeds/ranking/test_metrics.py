"""What is counted of rankings: how they are refreshed, and where those of pages come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY

from atsite.core.clickhouse.errors import Unreachable
from atsite.core.kv.lock import single_flight
from atsite.core.web.store_timeouts import StoreAway, StoreGuard
from feeds.ranking import refresh
from feeds.ranking.cursor import Computed
from feeds.ranking.feed import FeedRequest, PostKey
from feeds.ranking.generations import SECOND, Generations
from feeds.ranking.page_data import FeedData
from labels.blocks import Blocks
from tests.feeds.conftest import Site
from tests.feeds.kind_cases import CASES, RANKED
from tests.feeds.ranking.test_refresh import NOW, Ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"feed_{name}", labels) or 0


def grown(act: Callable[[], object], *names: tuple[str, dict[str, str]]) -> list[float]:
    """By how much each sample grows while `act` is done."""
    before = [sample(name, **labels) for name, labels in names]
    act()
    return [sample(name, **labels) - earlier for (name, labels), earlier in zip(names, before, strict=True)]


def test_each_refresh_is_counted_by_its_outcome_and_timed_where_it_ranked(valkey: redis.Redis) -> None:
    generations, feed = Generations(), Ranking("counted")
    outcomes = ("published", "empty", "busy", "failed")
    names = [("refreshes_total", {"feed": "counted", "outcome": outcome}) for outcome in outcomes]
    names.append(("refresh_seconds_count", {"feed": "counted"}))

    def due(now: int) -> None:
        refresh.refresh_due([feed], generations, now=now, force=True)

    assert grown(lambda: due(NOW), *names) == [1, 0, 0, 0, 1]
    assert sample("generation_posts", feed="counted") == 1
    assert sample("generation_made_seconds", feed="counted") == NOW / SECOND
    feed.posts = []
    assert grown(lambda: due(NOW + 1), *names) == [0, 1, 0, 0, 0]
    with single_flight(f"feeds:{feed.definition.key}:refresh", 60):
        assert grown(lambda: due(NOW + 2), *names) == [0, 0, 1, 0, 0]
    feed.fails = True
    assert grown(lambda: due(NOW + 3), *names) == [0, 0, 0, 1, 0]


@pytest.mark.usefixtures("clickhouse", "valkey")
def test_each_page_is_counted_by_where_its_ranking_came_from() -> None:
    site = Site(CASES[RANKED[0]])
    sources = ("stored", "pending", "empty", "expired")
    rkey = site.definition.rkey
    names = [("rankings_read_total", {"feed": rkey, "source": source}) for source in sources]
    site.publish(30)
    assert grown(lambda: site.page(10), *names) == [1, 0, 0, 0]
    assert grown(lambda: site.feed.page(FeedRequest(10, Computed(NOW, 1.0, "3laaaaaaaaaa2", "did:plc:a"))), *names) == [
        0,
        0,
        0,
        1,
    ]


def test_pages_without_the_look_up_of_what_was_deleted_are_counted() -> None:
    def away() -> None:
        raise Unreachable("away", code=0, name="tests")

    data = FeedData(lookups=StoreGuard("clickhouse", seconds=5, pause=60), blocks=lambda rkey: Blocks())
    with pytest.raises(StoreAway):
        data.lookups.call(away)
    definition = Ranking("one").definition
    post = PostKey("3laaaaaaaaaa2", "did:plc:a")
    assert grown(lambda: data.named(definition, [post]), ("unfiltered_pages_total", {})) == [1]
