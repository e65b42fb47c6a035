"""Rankings made in the background for want of a stored one: each once, bounded, and kept for all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from atsite.core.web.store_timeouts import StoreGuard
from feeds.ranking import computed
from feeds.ranking.computed import EMPTY, ComputedRankings, waiting
from feeds.ranking.feed import FeedUnavailable, RankingPending
from feeds.ranking.generations import SECOND, Generations
from tests.feeds.conftest import REAL_BUDGET_SECONDS
from tests.feeds.ranking.test_refresh import NOW, POST, Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future

    import redis

    from feeds.ranking.ranking import RankedPost

KEY = "did:plc:p/one"


class Slow(Ranking):
    """It is ranked when the test says so."""

    def __init__(self, rkey: str) -> None:
        super().__init__(rkey)
        self.begun, self.release = threading.Event(), threading.Event()

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        self.begun.set()
        assert self.release.wait(30)
        return super().rank(now, seconds=seconds)


@pytest.fixture
def generations(valkey: redis.Redis) -> Generations:
    return Generations()


def rankings(**options: int) -> ComputedRankings:
    return ComputedRankings(StoreGuard("clickhouse", seconds=30, pause=0), **options)


def test_many_readers_who_come_while_a_ranking_is_made_start_no_other_and_hold_no_thread(
    generations: Generations,
) -> None:
    feed, shared = Slow("one"), rankings()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(shared.start, feed, KEY, generations, now=NOW) for _ in range(40)]
        made = {future.result(30) for future in asked}  # all were answered while it is not made
    assert not any(future.done() for future in made)
    feed.release.set()
    assert [future.result(30) for future in made] == [None]
    assert feed.ranked_at == [NOW]
    kept = generations.current(KEY, now=NOW)
    assert kept is not None
    assert (kept.posts, kept.made_at) == ((POST.key,), NOW)


def test_a_slow_feed_does_not_keep_another_from_its_turn(generations: Generations) -> None:
    slow, other, shared = Slow("slow"), Ranking("other"), rankings()
    begun = shared.start(slow, "slow", generations, now=NOW)
    assert slow.begun.wait(30)
    assert shared.start(other, "other", generations, now=NOW).result(30) is None
    slow.release.set()
    assert begun.result(30) is None


def test_no_more_rankings_wait_than_a_process_can_make_soon(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computed, "RUNNING_MAX", 2)
    slow, shared = Slow("one"), rankings(at_once=1)
    begun: list[Future[FeedUnavailable | None]] = [
        shared.start(slow, reader, generations, now=NOW) for reader in ("a", "b")
    ]
    with pytest.raises(FeedUnavailable):
        shared.start(slow, "c", generations, now=NOW)
    slow.release.set()
    assert [future.result(30) for future in begun] == [None, None]


def test_with_clickhouse_away_the_reason_is_told_and_later_there_is_a_ranking(generations: Generations) -> None:
    feed, shared = Ranking("one", fails=True), rankings()

    def page() -> str:
        if generations.current(KEY, now=NOW) is None:
            raise RankingPending(shared.start(feed, KEY, generations, now=NOW))
        return "a page"

    with pytest.raises(FeedUnavailable, match="cannot be computed now"):
        waiting(page, seconds=30)
    feed.fails = False
    assert waiting(page, seconds=30) == "a page"


def test_who_waits_too_long_is_told_to_come_again(generations: Generations) -> None:
    slow, shared = Slow("one"), rankings()

    def page() -> str:
        raise RankingPending(shared.start(slow, KEY, generations, now=NOW))

    with pytest.raises(RankingPending) as pending:
        waiting(page, seconds=0.01)
    slow.release.set()
    assert pending.value.made.result(30) is None


def test_an_empty_ranking_is_remembered_for_a_moment_and_not_stored(generations: Generations) -> None:
    shared = rankings()
    assert shared.start(Ranking("one", posts=[]), KEY, generations, now=NOW).result(30) is None
    assert generations.current(KEY, now=NOW) is None
    assert shared.is_empty(KEY, now=NOW + EMPTY - 1)
    assert not shared.is_empty(KEY, now=NOW + EMPTY)
    assert not shared.is_empty("another", now=NOW)


def test_a_ranking_that_another_process_made_meanwhile_and_later_stays_the_current_one(
    generations: Generations,
) -> None:
    shared, other = rankings(), rankings()
    assert other.start(Ranking("one"), KEY, Generations(), now=NOW + SECOND).result(30) is None
    assert shared.start(Ranking("one"), KEY, generations, now=NOW).result(30) is None
    current = generations.current(KEY, now=NOW + SECOND)
    assert current is not None
    assert current.made_at == NOW + SECOND


def test_a_ranking_that_another_process_makes_is_waited_for_and_not_made_again(generations: Generations) -> None:
    elsewhere, here = Slow("one"), Ranking("one")
    other = rankings().start(elsewhere, KEY, Generations(), now=NOW)
    assert elsewhere.begun.wait(30)
    mine = rankings().start(here, KEY, generations, now=NOW + 1)
    assert not mine.done()
    elsewhere.release.set()
    assert [other.result(30), mine.result(30)] == [None, None]
    assert (here.ranked_at, generations.current(KEY, now=NOW) is not None) == ([], True)
    # An older one is known already: only a later one will do.
    known = generations.current(KEY, now=NOW)
    assert known is not None
    again = rankings().start(here, KEY, generations, now=NOW + SECOND, after=known.made_at)
    assert again.result(30) is None
    assert here.ranked_at == [NOW + SECOND]


def test_a_process_whose_turn_does_not_come_says_so_in_time(generations: Generations) -> None:
    with generations.turn(KEY, seconds=30) as mine:
        assert mine
        shared = ComputedRankings(StoreGuard("clickhouse", seconds=0.2, pause=0))
        failed = shared.start(Ranking("one"), KEY, generations, now=NOW).result(30)
        assert str(failed) == "the ranking cannot be computed now"
    with generations.turn(KEY, seconds=30) as mine:
        assert mine  # it was given back


def test_one_ranking_may_take_ten_seconds() -> None:
    assert REAL_BUDGET_SECONDS == 10
