"""getFeedSkeleton without Django: from the request's parameters to the bytes of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from atsite.core.atproto.aturi import AtUri, is_at_uri
from atsite.core.errors import InvalidSyntax
from feeds.ranking import cursor as cursors
from feeds.ranking import metrics
from feeds.ranking.cursor import InvalidCursor
from feeds.ranking.feed import FeedRequest, FeedUnavailable, Instructions, Pin, RankingPending, Repost, UnknownFeed
from feeds.serving import private_gate

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did, Rkey
    from feeds.ranking.feed import Feed, FeedPage, SkeletonPost
    from feeds.serving.registry import Registry
    from labels.standing import Standing


@dataclass(frozen=True, slots=True)
class Answer:
    """The JSON of getFeedSkeleton's output (lexicon app.bsky.feed.getFeedSkeleton), and the feed that it is from.

    `outcome`: page, poll or empty, as feeds.ranking.metrics.PAGES counts it. `standing`: all readers with it get this
    page; None if it was made for one reader, or does not depend on a label.
    """

    body: bytes
    feed: Feed
    outcome: str
    standing: Standing | None = None

    @property
    def is_for_all(self) -> bool:
        """Whether every reader gets this page, also in a moment: posts of members change with the next request."""
        return not self.feed.depends_on_viewer and not self.feed.definition.label


class Question(NamedTuple):
    """The parameters of getFeedSkeleton. `limit` is 1 to 100, `feed` and `cursor` are still unchecked."""

    feed: str
    limit: int
    cursor: str | None = None


class Asked(NamedTuple):
    """A question, with the standing of its reader where the pages of the feed depend on a label."""

    question: Question
    standing: Standing | None = None


def answer(registry: Registry, asked: Asked, viewer: Did | None) -> Answer:
    """The page of a feed for a reader. Counts failures; who gives the page to readers counts these.

    Raises InvalidSyntax (`feed` is not an at-uri), UnknownFeed,
    InvalidCursor, FeedUnavailable, RankingPending.
    """
    (feed, limit, cursor), standing = asked
    found = registry.find(_address(feed))
    if not private_gate.is_shared(found, viewer, standing):
        standing = None
    rkey = found.definition.rkey
    started = perf_counter()
    failure: str | None = "error"
    try:
        request = FeedRequest(limit, None if cursor is None else cursors.decode(cursor), viewer)
        page = private_gate.page(found, registry.data, request, standing)
        failure = None
        return Answer(render(page), found, _outcome(page, limit, cursor), standing)
    except InvalidCursor:
        failure = "invalid"
        raise
    except RankingPending:
        failure = "pending"
        raise
    except FeedUnavailable:
        failure = "unavailable"
        raise
    finally:
        if failure is not None:
            metrics.counted_pages(rkey, failure).inc()
        metrics.PAGE_SECONDS.labels(feed=rkey).observe(perf_counter() - started)


def depends_on_viewer(registry: Registry, feed: str) -> bool:
    """Whether the pages of `feed` differ from reader to reader. Raises InvalidSyntax, UnknownFeed."""
    return registry.find(_address(feed)).depends_on_viewer


def rkey_of(registry: Registry, feed: str) -> Rkey:
    """The record key by which `feed` is counted. Raises InvalidSyntax, UnknownFeed."""
    return registry.find(_address(feed)).definition.rkey


def is_poll(limit: int, cursor: str | None) -> bool:
    """Whether a client only checks for new posts; such a request is not counted."""
    return limit == 1 and cursor is None


def render(page: FeedPage) -> bytes:
    """A page as JSON. The key `cursor` is left out at the end: the AppView refuses null."""
    body: dict[str, object] = {"feed": [_entry(post) for post in page.posts]}
    if page.cursor is not None and page.posts:
        body["cursor"] = cursors.encode(page.cursor)
    return msgspec.json.encode(body)


def _entry(post: SkeletonPost) -> dict[str, object]:
    """Lexicon app.bsky.feed.defs#skeletonFeedPost; the AppView refuses a reason without $type."""
    match post.reason:
        case Pin():
            return {"post": post.post, "reason": {"$type": "app.bsky.feed.defs#skeletonReasonPin"}}
        case Repost(uri):
            return {"post": post.post, "reason": {"$type": "app.bsky.feed.defs#skeletonReasonRepost", "repost": uri}}
        case Instructions() | None:
            return {"post": post.post}


def _address(text: str) -> AtUri:
    """The at-uri of a feed; a valid at-uri that cannot be one of ours (a handle, a repo) is an unknown feed."""
    try:
        return AtUri.parse(text)
    except InvalidSyntax:
        if is_at_uri(text):
            raise UnknownFeed("this feed generator has no such feed") from None
        raise


def _outcome(page: FeedPage, limit: int, cursor: str | None) -> str:
    if not page.posts:
        return "empty"
    return "poll" if is_poll(limit, cursor) else "page"
