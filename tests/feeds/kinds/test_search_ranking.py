"""Feeds made of a search, by likes: against brute force over the same events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.syntax import Rkey
from atsite.core.atproto.tid import micros_of_tid
from atsite.core.clock import now_us
from feeds.kinds import likes_ranking, search_ranking
from feeds.kinds.hot import HotParameters
from feeds.kinds.search_parameters import SearchParameters
from feeds.kinds.search_ranking import SearchByLikes, SearchHot, SearchTop
from feeds.ranking.feed import Definition, PostKey
from feeds.ranking.page_data import FeedData
from feeds.ranking.parameters import read
from feeds.ranking.ranking import RankedFeed
from tests import builders as b
from tests.feeds import oracle, worlds
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.worlds import HOUR, MINUTE, actor
from tests.rows import Record, store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.rows import Row

pytestmark = pytest.mark.usefixtures("clickhouse")

GUARDS: dict[str, Any] = {"min_likes": 3, "following_max": 16}


def feed(order: str, query: str = "post", **parameters: Any) -> SearchByLikes:
    given = {"query": query, "order": order, **GUARDS, **parameters}
    definition = Definition(PUBLISHER, Rkey("found"), "search", "Found", "", given)
    kind = SearchHot if order == "hot" else SearchTop
    return kind(definition, read(SearchParameters, given), FeedData())


def with_text(rows: Iterable[Row], word: str) -> set[PostKey]:
    """The posts whose last version has a word, by their words between spaces."""
    last: dict[PostKey, Record] = {}
    for row in rows:
        if isinstance(row, Record) and row.collection == b.POST and row.record is not None:
            key = PostKey(row.rkey, row.did)
            if key not in last or row.version >= last[key].version:
                last[key] = row
    return {key for key, row in last.items() if word in (row.record or {})["text"].split()}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hits_max", [20_000, 10], ids=["all counted", "most liked counted"])
@pytest.mark.parametrize("order", ["hot", "top"])
def test_the_ranking_equals_brute_force(order: str, hits_max: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_ranking, "HITS_MAX", hits_max)
    now = now_us()
    rows = worlds.troubled(seed, now=now)
    store(*rows)
    found_by_word = with_text(rows, "post")
    expected = [
        (key, score)
        for key, score in oracle.hot(rows, HotParameters(min_age_minutes=0, **GUARDS), now=now)
        if key in found_by_word
    ]
    if order == "top":
        likes = {
            key: round(score * (((now - micros_of_tid(key.rkey)) / HOUR + 2) ** 1.8)) + 1 for key, score in expected
        }
        expected = sorted(
            ((key, float(count)) for key, count in likes.items()), key=lambda e: (e[1], e[0]), reverse=True
        )
    found = feed(order).rank(now, seconds=30)
    assert len(expected) > 15
    assert [post.key for post in found] == [key for key, _ in expected]
    assert [post.score for post in found] == pytest.approx([score for _, score in expected], rel=1e-9)


def test_of_many_hits_the_most_liked_of_the_window_are_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_ranking, "HITS_MAX", 5)
    monkeypatch.setattr(search_ranking, "CANDIDATES_MAX", 8)
    monkeypatch.setattr(likes_ranking, "CANDIDATES", 2)
    now = now_us()
    posts = [
        b.post(actor(n), at=now - HOUR - n * MINUTE, text=f"{'post' if n % 2 else 'other'} {n}") for n in range(40)
    ]
    likes = [
        b.like(actor(1000 + each), post, at=now - MINUTE) for n, post in enumerate(posts) for each in range(60 - n)
    ]
    store(*posts, *likes)
    ranked = [post.key for post in feed("top", min_likes=1, following_max=1000).rank(now, seconds=30)]
    assert ranked == [PostKey(post.rkey, post.did) for post in posts[1:8:2]]  # among the 8 with the most likes


def test_replies_and_labelled_posts_are_ranked_where_the_settings_let_them_in() -> None:
    now = now_us()
    root, reply, labelled = (
        b.post(actor(1), at=now - HOUR, text="post"),
        b.post(actor(2), at=now - HOUR, text="post", reply_to="at://did:plc:x/app.bsky.feed.post/3laaaaaaaaaa2"),
        b.post(actor(3), at=now - HOUR, text="post", labels=["porn"]),
    )
    likes = [b.like(actor(10 + n), post, at=now - MINUTE) for post in (root, reply, labelled) for n in range(4)]
    store(root, reply, labelled, *likes)

    def ranked(**parameters: Any) -> set[str]:
        return {post.key.did for post in feed("top", **parameters).rank(now, seconds=30)}

    assert ranked() == {root.did}
    assert ranked(replies=True) == {root.did, reply.did}
    assert ranked(self_labelled=True, replies=True) == {root.did, reply.did, labelled.did}


def test_the_window_ends_where_the_settings_say() -> None:
    now = now_us()
    posts = [b.post(actor(n), at=now - n * HOUR - 1, text="post") for n in range(6)]
    store(*posts, *(b.like(actor(10 + n), post, at=now - 5) for post in posts for n in range(4)))
    ranked = {post.key.rkey for post in feed("top", hours=4, min_age_minutes=30).rank(now, seconds=30)}
    assert ranked == {post.rkey for post in posts[1:4]}


def test_it_is_ranked_as_other_ranked_feeds_are() -> None:
    assert isinstance(feed("hot"), RankedFeed)
    assert isinstance(feed("top"), RankedFeed)
