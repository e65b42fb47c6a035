"""The access check of private feeds: readers who are not members get only the instructions post."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from atsite.core.copies.errors import Undecidable
from feeds.ranking.feed import FeedPage, FeedUnavailable, Instructions, SkeletonPost
from feeds.serving.pin import page_with_pin
from labels.membership import has_label

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from feeds.ranking.feed import Definition, Feed, FeedRequest
    from feeds.ranking.page_data import FeedData
    from labels.standing import Standing


def page(feed: Feed, data: FeedData, request: FeedRequest, standing: Standing | None = None) -> FeedPage:
    """The page as this reader gets it: a reader who may not read the feed gets only the instructions post.

    `standing` is the reader's, if it was asked a moment ago for the label of this feed. Raises InvalidCursor,
    FeedUnavailable.
    """
    if not may_read(feed.definition, request.viewer, standing):
        return _instructions(feed.definition, data, request)
    return page_with_pin(feed, data, request)


def is_shared(feed: Feed, viewer: Did | None, standing: Standing | None) -> TypeGuard[Standing]:
    """Whether all readers with the `standing` of this one get the same page."""
    definition = feed.definition
    if standing is None or standing.label != definition.label or feed.depends_on_viewer != definition.private:
        return False
    return not definition.private or viewer is None or standing.is_member is not None


def may_read(definition: Definition, viewer: Did | None, standing: Standing | None = None) -> bool:
    """Whether this reader gets the feed itself, not only its instructions post. Raises FeedUnavailable."""
    if not definition.private:
        return True
    if viewer is None:
        return False
    if standing is not None and standing.is_member is not None:
        return standing.is_member
    try:
        return has_label(viewer, definition.label)
    except Undecidable as error:
        raise FeedUnavailable("the members of this feed cannot be read now") from error


def _instructions(definition: Definition, data: FeedData, request: FeedRequest) -> FeedPage:
    post = definition.instructions
    if post is None or request.cursor is not None or not data.named(definition, [post]):
        return FeedPage()
    return FeedPage((SkeletonPost(post.uri, Instructions()),))
