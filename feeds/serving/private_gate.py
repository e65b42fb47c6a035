"""The access check of private feeds: readers who are not members get only the instructions post."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.copies.errors import Undecidable
from feeds.ranking.feed import FeedPage, FeedUnavailable, Instructions, SkeletonPost
from feeds.serving.pin import page_with_pin
from labels.membership import has_label

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from feeds.ranking.feed import Definition, Feed, FeedRequest
    from feeds.ranking.page_data import FeedData


def page(feed: Feed, data: FeedData, request: FeedRequest) -> FeedPage:
    """The page as this reader gets it: a reader who may not read the feed gets only the instructions post.

    Raises InvalidCursor, FeedUnavailable.
    """
    if not may_read(feed.definition, request.viewer):
        return _instructions(feed.definition, data, request)
    return page_with_pin(feed, data, request)


def may_read(definition: Definition, viewer: Did | None) -> bool:
    """Whether this reader gets the feed itself, not only its instructions post. Raises FeedUnavailable."""
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
