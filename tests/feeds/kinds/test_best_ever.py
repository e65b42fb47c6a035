"""The ranking by likes of all time against brute force, on the real engine."""

from __future__ import annotations

import pytest

from atsite.core.clickhouse.errors import QueryTimedOut
from atsite.core.clock import now_us
from feeds.kinds import best_ever, like_counts, likes_ranking
from feeds.kinds.like_counts import Candidate
from feeds.ranking import ranking
from tests import builders as b
from tests.feeds import oracle, worlds
from tests.feeds.worlds import DAY, MINUTE, actor
from tests.rows import store


@pytest.mark.usefixtures("clickhouse")
def test_a_like_counts_until_it_is_taken_back_however_old_it_is() -> None:
    now = now_us()
    old, new = b.post(actor(1), at=now - 400 * DAY, text="old"), b.post(actor(2), at=now - DAY, text="new")
    of_old = [b.like(actor(100 + number), old, at=now - 399 * DAY + number) for number in range(5)]
    store(old, new, *of_old, *(b.like(actor(100 + number), new, at=now - MINUTE) for number in range(4)))

    def ranked() -> list[tuple[str, float]]:
        return [(post.key.uri, post.score) for post in best_ever.rank(min_likes=1, seconds=30)]

    assert ranked() == [(old.uri, 5), (new.uri, 4)]
    store(*(b.delete(like, at=now) for like in of_old[:3]))
    assert ranked() == [(new.uri, 4), (old.uri, 2)]
    store(*(b.delete(like, at=now) for like in of_old[3:]))
    assert ranked() == [(new.uri, 4)]
    store(b.recreate(of_old[0], at=now + 1))
    assert ranked() == [(new.uri, 4), (old.uri, 1)]


@pytest.mark.usefixtures("clickhouse")
@pytest.mark.parametrize(("candidates", "size", "at_a_time"), [(5000, 3000, 1_000_000), (30, 20, 40), (50, 3000, 200)])
def test_the_ranking_equals_brute_force_in_whatever_parts_it_is_counted(
    candidates: int, size: int, at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = worlds.troubled(candidates, now=now_us())
    store(*rows)
    monkeypatch.setattr(likes_ranking, "CANDIDATES", candidates)
    monkeypatch.setattr(ranking, "SIZE_MAX", size)
    monkeypatch.setattr(best_ever, "AT_A_TIME", at_a_time)
    found = best_ever.rank(min_likes=3, seconds=60)
    expected = oracle.best_ever(rows, min_likes=3)
    assert len(expected) > 30
    assert [(post.key, post.score) for post in found] == expected[:size]


def test_posts_are_counted_in_the_order_of_time_so_many_likes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(best_ever, "AT_A_TIME", 10)
    candidates = [Candidate(rkey, bound) for rkey, bound in [("e", 25), ("b", 9), ("a", 4), ("c", 3), ("d", 3)]]
    parts = [[candidate.rkey for candidate in part] for part in best_ever.parts(candidates)]
    assert parts == [["a"], ["b"], ["c", "d"], ["e"]]
    assert list(best_ever.parts([])) == []


def test_a_count_that_takes_too_long_is_given_up_between_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(like_counts, "liked_ever_candidates", lambda **_: [Candidate("3laaaaaaaaaa2", 9)])
    with pytest.raises(QueryTimedOut, match="the likes of all time take too long to count"):
        best_ever.rank(min_likes=1, seconds=0)
