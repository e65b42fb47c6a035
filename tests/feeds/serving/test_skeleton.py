"""The feed path without HTTP: bytes, and what is counted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY

from atsite.core.atproto.syntax import Rkey
from atsite.core.errors import InvalidSyntax
from feeds.ranking import cursor
from feeds.ranking.cursor import Newest
from feeds.ranking.feed import (
    Definition,
    Feed,
    FeedDescription,
    FeedPage,
    FeedRequest,
    FeedUnavailable,
    Pin,
    Repost,
    SkeletonPost,
    UnknownFeed,
    describe,
)
from feeds.serving import skeleton
from feeds.serving.registry import Registry
from feeds.serving.skeleton import Asked, Question
from tests.feeds.kind_cases import PUBLISHER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.ranking.feed import PostKey

POST = SkeletonPost("at://did:plc:a/app.bsky.feed.post/3laaaaaaaaaa2")
CURSOR = Newest("3laaaaaaaaaa2", "did:plc:a")
DEFINITION = Definition(PUBLISHER, Rkey("one"), "hot", "One", "")


@dataclass
class Fixed:
    """A feed whose page the test says; it remembers what it was asked."""

    answer: FeedPage | Exception
    asked: FeedRequest | None = None
    definition: Definition = DEFINITION
    depends_on_viewer: bool = False

    def page(self, request: FeedRequest) -> FeedPage:
        self.asked = request
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        raise NotImplementedError


def answer(feed: Feed, *, limit: int = 50, text: str | None = None) -> bytes:
    registry = Registry({DEFINITION.uri: feed})
    return skeleton.answer(registry, Asked(Question(str(DEFINITION.uri), limit, text)), None).body


def timed() -> float:
    return REGISTRY.get_sample_value("feed_page_seconds_count", {"feed": "one"}) or 0


@pytest.mark.parametrize("page", [FeedPage(), FeedUnavailable("away")])
def test_the_time_of_each_page_is_measured_also_of_one_that_fails(page: FeedPage | Exception) -> None:
    before = timed()
    with suppress(FeedUnavailable):
        answer(Fixed(page))
    assert timed() - before == 1


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("feed_page_requests_total", {"feed": "one", "outcome": outcome}) or 0


@pytest.mark.parametrize(
    ("page", "body"),
    [
        (FeedPage(), b'{"feed":[]}'),
        (FeedPage((), CURSOR), b'{"feed":[]}'),  # an empty page ends the walk, so it has no cursor
        (FeedPage((POST,)), b'{"feed":[{"post":"at://did:plc:a/app.bsky.feed.post/3laaaaaaaaaa2"}]}'),
        (
            FeedPage((POST,), CURSOR),
            b'{"feed":[{"post":"at://did:plc:a/app.bsky.feed.post/3laaaaaaaaaa2"}],"cursor":"'
            + cursor.encode(CURSOR).encode()
            + b'"}',
        ),
        (
            FeedPage((SkeletonPost(POST.post, Pin()),)),
            b'{"feed":[{"post":"at://did:plc:a/app.bsky.feed.post/3laaaaaaaaaa2",'
            b'"reason":{"$type":"app.bsky.feed.defs#skeletonReasonPin"}}]}',
        ),
        (
            FeedPage((SkeletonPost(POST.post, Repost("at://did:plc:b/app.bsky.feed.repost/3laaaaaaaaaa2")),)),
            b'{"feed":[{"post":"at://did:plc:a/app.bsky.feed.post/3laaaaaaaaaa2",'
            b'"reason":{"$type":"app.bsky.feed.defs#skeletonReasonRepost",'
            b'"repost":"at://did:plc:b/app.bsky.feed.repost/3laaaaaaaaaa2"}}]}',
        ),
    ],
)
def test_a_page_has_these_bytes(page: FeedPage, body: bytes) -> None:
    assert answer(Fixed(page)) == body


def test_a_feed_is_asked_for_what_was_asked() -> None:
    feed = Fixed(FeedPage())
    answer(feed, limit=7, text=cursor.encode(CURSOR))
    assert feed.asked == FeedRequest(7, CURSOR, None)


@pytest.mark.parametrize(
    ("page", "limit", "text", "outcome"),
    [
        (FeedPage((POST,)), 50, None, "page"),
        (FeedPage((POST,)), 1, None, "poll"),  # a client looks whether there is anything new
        (FeedPage((POST,)), 1, cursor.encode(CURSOR), "page"),
        (FeedPage(), 50, None, "empty"),
    ],
)
def test_an_answer_tells_its_outcome_and_leaves_the_count_to_its_readers(
    page: FeedPage, limit: int, text: str | None, outcome: str
) -> None:
    before = counted(outcome)
    asked = Asked(Question(str(DEFINITION.uri), limit, text))
    assert skeleton.answer(Registry({DEFINITION.uri: Fixed(page)}), asked, None).outcome == outcome
    assert counted(outcome) == before


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (cursor.InvalidCursor("no"), "invalid"),
        (FeedUnavailable("away"), "unavailable"),
        (ZeroDivisionError(), "error"),
    ],
)
def test_errors_are_counted_and_passed_on(error: Exception, outcome: str) -> None:
    before = counted(outcome)
    with pytest.raises(type(error)):
        answer(Fixed(error))
    assert counted(outcome) == before + 1


def test_a_feed_that_is_not_there_is_unknown_and_no_address_is_no_address() -> None:
    with pytest.raises(UnknownFeed):
        skeleton.answer(Registry({}), Asked(Question(str(DEFINITION.uri), 50)), None)
    with pytest.raises(InvalidSyntax):
        skeleton.answer(Registry({}), Asked(Question("whats-hot", 50)), None)
