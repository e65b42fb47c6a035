"""Parameters and answers of the feed generator's XRPC methods, for validation and documentation."""

from __future__ import annotations

from ninja import Field, Schema

from atsite.core import page_limits
from atsite.core.web.query import WholeNumber  # noqa: TC001 - pydantic reads the annotations


class SkeletonQuery(Schema):
    """Parameters of app.bsky.feed.getFeedSkeleton."""

    feed: str = Field(description="at-uri of the generator record")
    limit: WholeNumber = Field(page_limits.FEED_DEFAULT, ge=1, le=page_limits.FEED_MAX)
    cursor: str | None = Field(None, description="the cursor of the previous page")


class SkeletonPost(Schema):
    """One entry; `reason` names the repost that brought it here, or says that it is pinned."""

    post: str
    reason: dict[str, str] | None = None


class Skeleton(Schema):
    """Output of app.bsky.feed.getFeedSkeleton."""

    feed: list[SkeletonPost]
    cursor: str | None = Field(None, description="left out on the last page")


class FeedAddress(Schema):
    uri: str


class GeneratorDescription(Schema):
    """Output of app.bsky.feed.describeFeedGenerator; `did` is the service's, not the publisher's."""

    did: str
    feeds: list[FeedAddress]
