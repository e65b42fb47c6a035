"""Why each post is in its feed, as the preview says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.syntax import Rkey
from atsite.core.clock import now_us
from feeds.kinds import make_feed
from feeds.ranking.feed import Definition, PostKey
from feeds.ranking.page_data import FeedData
from tests import builders as b
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.worlds import HOUR, actor
from tests.rows import store

if TYPE_CHECKING:
    from feeds.ranking.feed import Feed

#: By kind and source, or order: what is said of a post with one like that is 90 minutes old, and of one with three that
#: is 3 hours old.
REASONS: dict[tuple[str, str], tuple[str, str]] = {
    ("hot", ""): ("(1 like − 1) ÷ (1.5 hours + 2)^1.8 = 0.000", "(3 likes − 1) ÷ (3.0 hours + 2)^1.8 = 0.110"),
    ("top", ""): ("1 like, 1.5 hours old", "3 likes, 3.0 hours old"),
    ("label", ""): ("its author or reposter has the label mpls; newest first",) * 2,
    ("search", "newest"): ("found by the query; newest first",) * 2,
    ("search", "hot"): ("(1 like − 1) ÷ (1.5 hours + 2)^1.8 = 0.000", "(3 likes − 1) ÷ (3.0 hours + 2)^1.8 = 0.110"),
    ("search", "top"): ("1 like, 1.5 hours old", "3 likes, 3.0 hours old"),
    ("static", "network_best"): ("1 like", "3 likes"),
    ("static", "viewer_best"): ("1 like", "3 likes"),
    ("static", "list"): ("number 2 in your list", "number 1 in your list"),
}


def feed_of(kind: str, source: str, posts: tuple[PostKey, ...]) -> Feed:
    parameters: dict[str, Any] = {"source": source} if source else {"label": "mpls"} if kind == "label" else {}
    if kind == "search":
        parameters = {"query": "text", "order": source}
    return make_feed(Definition(PUBLISHER, Rkey("one"), kind, "", "", parameters, posts=posts), FeedData())


@pytest.mark.usefixtures("clickhouse")
@pytest.mark.parametrize(("kind", "source"), REASONS)
def test_each_kind_says_why(kind: str, source: str) -> None:
    now = now_us()
    young, old = (b.post(actor(n), at=now - age, text="text") for n, age in ((1, 3 * HOUR // 2), (2, 3 * HOUR)))
    store(young, old, b.like(actor(9), young, at=now - 9), *(b.like(actor(10 + n), old, at=now - 9) for n in range(3)))
    keys = (PostKey(young.rkey, young.did), PostKey(old.rkey, old.did))
    feed = feed_of(kind, source, keys[::-1])
    assert feed.reasons(keys, now) == dict(zip(keys, REASONS[kind, source], strict=True))
