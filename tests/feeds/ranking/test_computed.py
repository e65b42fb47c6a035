"""Rankings computed in the process: one at a time, shared, bounded."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from feeds.ranking import computed
from feeds.ranking.computed import GRID, ComputedRankings
from feeds.ranking.feed import FeedUnavailable
from feeds.ranking.generations import IDLE
from feeds.ranking.store_timeouts import StoreGuard
from tests.feeds.ranking.test_refresh import POST, Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.ranking.ranking import RankedPost


def rankings(seconds: float = 30) -> ComputedRankings:
    return ComputedRankings(StoreGuard("clickhouse", seconds=seconds, pause=0))


def test_many_readers_of_one_moment_share_one_computation() -> None:
    feed, shared = Ranking("one"), rankings()
    together = threading.Barrier(8)

    def read() -> object:
        together.wait(30)
        return shared.at(feed, 10 * GRID)

    with ThreadPoolExecutor(8) as threads:
        answers = [future.result(30) for future in [threads.submit(read) for _ in range(8)]]
    assert answers == [(POST,)] * 8
    assert feed.ranked_at == [10 * GRID]


def test_who_waits_too_long_for_another_computation_gets_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    feed, shared, release = Ranking("one"), rankings(), threading.Event()
    monkeypatch.setattr(computed, "BUDGET_SECONDS", 0.05)
    begun = threading.Event()

    class Slow(Ranking):
        def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
            begun.set()
            release.wait(30)
            return []

    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(shared.at, Slow("slow"), GRID)
        assert begun.wait(30)
        with pytest.raises(FeedUnavailable):
            shared.at(feed, GRID)
        release.set()
        assert slow.result(30) == ()
    assert shared.at(feed, GRID) == (POST,)


def test_with_clickhouse_away_there_is_no_page_and_later_there_is() -> None:
    feed, shared = Ranking("one", fails=True), rankings()
    with pytest.raises(FeedUnavailable):
        shared.at(feed, GRID)
    feed.fails = False
    assert shared.at(feed, GRID) == (POST,)


def test_only_the_last_moments_are_remembered() -> None:
    feed, shared = Ranking("one"), rankings()
    for step in range(computed.REMEMBERED + 1):
        shared.at(feed, step * GRID)
    shared.at(feed, computed.REMEMBERED * GRID)
    shared.at(feed, 0)
    assert feed.ranked_at == [step * GRID for step in range(computed.REMEMBERED + 1)] + [0]


def test_moments_lie_on_a_grid_in_the_past() -> None:
    now = 1_000 * GRID + 7
    assert computed.newest_moment(now) == 1_000 * GRID
    assert computed.is_valid_moment(1_000 * GRID, now)
    assert not computed.is_valid_moment(1_000 * GRID + 1, now)
    assert not computed.is_valid_moment(1_001 * GRID, now)
    assert not computed.is_expired(1_000 * GRID, now)
    assert computed.is_expired(now - IDLE, now)
