"""The hot ranking against brute force and against the view that defines the score, on the real engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.syntax import Did, Rkey
from atsite.core.clickhouse import door
from atsite.core.clock import now_us
from feeds.kinds import likes_ranking
from feeds.kinds.hot import Hot, HotParameters
from feeds.ranking import ranking
from feeds.ranking.feed import Definition, InvalidDefinition, PostKey
from feeds.ranking.page_data import FeedData
from feeds.ranking.parameters import read
from tests import builders as b
from tests.feeds import oracle, worlds
from tests.feeds.worlds import HOUR, MINUTE, actor
from tests.rows import store

if TYPE_CHECKING:
    from feeds.ranking.feed import Parameters

PARAMETERS = {"min_likes": 3, "following_max": 16}
PUBLISHER = Did("did:plc:" + "p" * 24)


def feed(parameters: Parameters) -> Hot:
    definition = Definition(PUBLISHER, Rkey("whats-hot"), "hot", "Hot", "", parameters)
    return Hot(definition, read(HotParameters, parameters), FeedData())


def ranked(parameters: Parameters, now: int) -> list[PostKey]:
    return [post.key for post in feed(parameters).rank(now, seconds=30)]


@pytest.mark.usefixtures("clickhouse")
@pytest.mark.parametrize("seed", range(4))
def test_the_ranking_equals_brute_force_over_the_same_events(seed: int) -> None:
    now = now_us()
    rows = worlds.troubled(seed, now=now)
    store(*rows)
    expected = oracle.hot(rows, read(HotParameters, PARAMETERS), now=now)
    found = feed(PARAMETERS).rank(now, seconds=30)
    assert len(expected) > 30
    assert [post.key for post in found] == [key for key, _ in expected]
    assert [post.score for post in found] == pytest.approx([score for _, score in expected], rel=1e-9)


@pytest.mark.usefixtures("clickhouse")
@pytest.mark.parametrize(("candidates", "size"), [(1, 20), (5, 20), (30, 20), (20, 1), (40, 3000)])
def test_too_few_candidates_are_widened_until_the_ranking_is_proven(
    candidates: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = now_us()
    rows = worlds.troubled(9, now=now)
    store(*rows)
    monkeypatch.setattr(likes_ranking, "CANDIDATES", candidates)
    monkeypatch.setattr(ranking, "SIZE_MAX", size)
    expected = oracle.hot(rows, read(HotParameters, PARAMETERS), now=now)
    assert ranked(PARAMETERS, now) == [key for key, _ in expected[:size]]


@dataclass(frozen=True)
class ViewRow:
    rkey: str
    did: str
    score: float


@pytest.mark.usefixtures("clickhouse")
def test_scores_are_those_of_the_view_that_defines_them() -> None:
    now = now_us()
    store(*(row for row in worlds.troubled(5, now=now) if not isinstance(row, b.Floor | b.Account)))
    view = door.query(
        "SELECT rkey, did, score FROM recent_posts_with_score"
        " WHERE likes >= 3 AND empty(labels) AND age_hours < 24 AND age_hours > 1 / 12",
        into=ViewRow,
        name="tests.view",
    )
    # The view takes the server's own now, a moment later; one like more or less would be 4 % or more.
    found = {post.key: post.score for post in feed({"min_likes": 3}).rank(now_us(), seconds=30)}
    assert found == pytest.approx({PostKey(row.rkey, row.did): row.score for row in view}, rel=0.01)
    assert len(found) > 30


@pytest.mark.usefixtures("clickhouse")
def test_equal_scores_are_newest_first_and_equal_keys_by_did() -> None:
    now = now_us()
    rows = worlds.liked_posts(9, now=now, likes=2)
    store(*rows)
    expected = oracle.hot(rows, read(HotParameters, {"min_likes": 1}), now=now)
    assert ranked({"min_likes": 1}, now) == [key for key, _ in expected]
    shared = [key for key, _ in expected if key.rkey == expected[0][0].rkey]
    assert len(shared) == 3


@pytest.mark.usefixtures("clickhouse")
def test_the_window_the_youngest_age_and_the_likes_are_parameters() -> None:
    now = now_us()
    ages = {"fresh": 4 * MINUTE, "new": 6 * MINUTE, "old": 23 * HOUR, "past": 25 * HOUR}
    posts = {name: b.post(actor(number), at=now - age, text=name) for number, (name, age) in enumerate(ages.items())}
    store(*posts.values())
    store(*(b.like(actor(100), post, at=now - MINUTE) for post in posts.values()))
    store(b.like(actor(101), posts["old"], at=now - MINUTE))
    named = {PostKey(post.rkey, post.did): name for name, post in posts.items()}

    def names(**parameters: int) -> list[str]:
        return [named[key] for key in ranked(parameters, now)]

    assert names(min_likes=1) == ["old", "new"]  # of one like, the author's own is taken away: 0
    assert names(min_likes=2) == ["old"]
    assert names(min_likes=3) == []
    assert names(min_likes=1, window_hours=26) == ["old", "new", "past"]
    assert names(min_likes=1, window_hours=1, min_age_minutes=0) == ["fresh", "new"]


@pytest.mark.usefixtures("clickhouse")
def test_an_empty_store_has_an_empty_ranking() -> None:
    assert ranked({}, now_us()) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"likes": 3}, "unknown parameter 'likes'"),
        ({"min_likes": 0}, "min_likes must be a whole number from 1 to 1000000"),
        ({"window_hours": 73}, "window_hours must be a whole number from 1 to 72"),
        ({"refresh_seconds": True}, "refresh_seconds must be a whole number from 10 to 3600"),
    ],
)
def test_a_definition_with_wrong_parameters_is_refused(parameters: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidDefinition, match=message):
        feed(parameters)
