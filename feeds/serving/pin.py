"""The post that is pinned above a feed, whatever the feed's kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from feeds.ranking.feed import FeedPage, Pin, SkeletonPost

if TYPE_CHECKING:
    from feeds.ranking.feed import Feed, FeedRequest
    from feeds.ranking.page_data import FeedData


def page_with_pin(feed: Feed, data: FeedData, request: FeedRequest) -> FeedPage:
    """The page, below the pinned post on a first page. Raises InvalidCursor, FeedUnavailable.

    The pinned post counts towards the limit; the kinds leave it out of the list. A first page of one post is how a
    client checks for new posts: the pin would hide them, so such a page does not have it.
    """
    pinned = feed.definition.pinned
    if pinned is None or request.cursor is not None or request.limit == 1 or not data.named(feed.definition, [pinned]):
        return feed.page(request)
    below = feed.page(replace(request, limit=request.limit - 1))
    return FeedPage((SkeletonPost(pinned.uri, Pin()), *below.posts), below.cursor)
