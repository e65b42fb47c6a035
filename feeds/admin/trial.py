"""The first page of a feed as its settings in a form would make it, before they are saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.admin import preview
from feeds.admin.preview import PAGE_POSTS, Preview
from feeds.ranking.computed import BUDGET_SECONDS
from feeds.ranking.feed import FeedPage, FeedRequest, SkeletonPost
from feeds.ranking.ranking import RankedFeed

if TYPE_CHECKING:
    from feeds.ranking.feed import Feed
    from feeds.ranking.page_data import FeedData


def trial(feed: Feed, data: FeedData) -> Preview:
    """The first page. A ranking is made for it and not stored. Raises FeedUnavailable, ClickHouseError."""
    moment = data.clock()
    if isinstance(feed, RankedFeed):
        ranked = feed.rank(moment, seconds=BUDGET_SECONDS)[: 2 * PAGE_POSTS]
        listed = data.listed(feed.definition, [post.key for post in ranked])
        shown = [SkeletonPost(post.key.uri) for post in ranked if post.key in listed]
        page = FeedPage(tuple(shown[:PAGE_POSTS]))
    else:
        page = feed.page(FeedRequest(PAGE_POSTS))
    return preview.shown(feed, page, moment)
