"""The top ranking against brute force, and what language and media leave of hot and top."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.syntax import Rkey
from atsite.core.atproto.tid import micros_of_tid
from atsite.core.clock import now_us
from feeds.kinds import make_feed
from feeds.kinds.hot import HotParameters
from feeds.kinds.top import TopParameters
from feeds.ranking.feed import Definition, InvalidDefinition
from feeds.ranking.page_data import FeedData
from feeds.ranking.parameters import read
from feeds.ranking.ranking import RankedFeed
from tests import builders as b
from tests.feeds import oracle, worlds
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.worlds import HOUR, MINUTE, actor
from tests.rows import store

if TYPE_CHECKING:
    from feeds.ranking.feed import Parameters
    from feeds.ranking.ranking import RankedPost


def ranked(kind: str, parameters: Parameters, now: int) -> list[RankedPost]:
    feed = make_feed(Definition(PUBLISHER, Rkey("one"), kind, "", "", parameters), FeedData())
    assert isinstance(feed, RankedFeed)
    return list(feed.rank(now, seconds=30))


@pytest.mark.usefixtures("clickhouse")
@pytest.mark.parametrize("hours", [1, 6, 24])
def test_the_ranking_equals_brute_force_over_the_same_events(hours: int) -> None:
    now = now_us()
    rows = worlds.troubled(3, now=now)
    store(*rows)
    of_hot = HotParameters(window_hours=hours, min_age_minutes=0, min_likes=3, following_max=16)
    scores = oracle.hot(rows, of_hot, now=now)
    likes = {key: round(score * (age_hours(key.rkey, now) + 2) ** 1.8 + 1) for key, score in scores}
    expected = sorted(likes, key=lambda key: (likes[key], key), reverse=True)
    found = ranked("top", {"hours": hours, "min_likes": 3, "following_max": 16}, now)
    assert expected
    assert [(post.key, post.score) for post in found] == [(key, likes[key]) for key in expected]


def age_hours(rkey: str, now: int) -> float:
    return (now - micros_of_tid(rkey)) / HOUR


@pytest.mark.usefixtures("clickhouse")
@pytest.mark.parametrize("kind", ["hot", "top"])
def test_a_feed_may_be_of_one_language_and_with_or_without_media(kind: str) -> None:
    now = now_us()
    posts = {
        "ja": b.post(actor(1), at=now - HOUR, text="ja", langs=("ja",)),
        "ja, picture": b.post(actor(2), at=now - HOUR - MINUTE, text="ja p", langs=("en", "ja"), images=("",)),
        "JA-jp": b.post(actor(3), at=now - HOUR - 2 * MINUTE, text="jp", langs=("JA-jp",)),
        "jam": b.post(actor(4), at=now - HOUR - 3 * MINUTE, text="jam", langs=("jam",)),
        "jpn": b.post(actor(6), at=now - HOUR - 3 * MINUTE - 9, text="jpn", langs=("jpn",)),
        "none, video": b.post(actor(5), at=now - HOUR - 4 * MINUTE, text="none", video=True),
    }
    store(*posts.values(), *(b.like(actor(100 + n), post, at=now - 9) for n in range(2) for post in posts.values()))
    names = {post.uri: name for name, post in posts.items()}

    def found(**parameters: object) -> list[str]:
        return [names[post.key.uri] for post in ranked(kind, {"min_likes": 2, **parameters}, now)]

    assert found() == list(posts)
    assert found(language="ja") == ["ja", "ja, picture", "JA-jp", "jpn"]
    assert found(language="ja", media="without") == ["ja", "JA-jp", "jpn"]
    assert found(media="with") == ["ja, picture", "none, video"]
    assert found(language="ja-JP", media="any") == ["JA-jp"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hours": 169}, "hours must be a whole number from 1 to 168"),
        ({"language": "Japanese!"}, "language must be a language such as ja"),
        ({"media": "some"}, "media must be one of any, with, without"),
        ({"window_hours": 24}, "unknown parameter 'window_hours': this kind has hours"),
        ({"min_likes": "10"}, "min_likes must be a whole number"),
    ],
)
def test_a_definition_with_wrong_parameters_is_refused(parameters: Parameters, message: str) -> None:
    with pytest.raises(InvalidDefinition, match=message):
        read(TopParameters, parameters)
