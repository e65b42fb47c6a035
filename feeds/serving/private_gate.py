"""What every feed has, whatever its kind: who may read it, and the post that is pinned above it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from atsite.core.published.errors import Undecidable
from feeds.ranking.feed import FeedPage, FeedUnavailable, Instructions, Pin, SkeletonPost
from labels.membership import has_label

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from feeds.ranking.feed import Definition, Feed, FeedRequest
    from feeds.ranking.page_data import FeedData


def page(feed: Feed, data: FeedData, request: FeedRequest) -> FeedPage:
    """The page as this reader gets it. Raises InvalidCursor, FeedUnavailable.

    Who may not read gets the instructions post alone. The pinned post is part of a first page and its limit; the kinds
    leave it out everywhere below. A first page of one post is a client's look whether there is anything new: there the
    pin would hide that, so it is not shown.
    """
    definition = feed.definition
    if not may_read(definition, request.viewer):
        return _instructions(definition, data, request)
    pinned = definition.pinned
    if pinned is None or request.cursor is not None or request.limit == 1 or not data.named(definition, [pinned]):
        return feed.page(request)
    below = feed.page(replace(request, limit=request.limit - 1))
    return FeedPage((SkeletonPost(pinned.uri, Pin()), *below.posts), below.cursor)


def may_read(definition: Definition, viewer: Did | None) -> bool:
    """Whether this reader gets the feed itself, and not its instructions post alone. Raises FeedUnavailable."""
    if not definition.private:
        return True
    if viewer is None:
        return False
    try:
        return has_label(viewer, definition.label)
    except Undecidable as error:
        raise FeedUnavailable("the members of this feed cannot be read now") from error


def _instructions(definition: Definition, data: FeedData, request: FeedRequest) -> FeedPage:
    post = definition.instructions
    if post is None or request.cursor is not None or not data.named(definition, [post]):
        return FeedPage()
    return FeedPage((SkeletonPost(post.uri, Instructions()),))
