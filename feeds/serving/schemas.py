"""Parameters and answers of the feed generator's XRPC methods, for validation and documentation."""

from __future__ import annotations

from typing import Annotated

from ninja import Field, Schema
from pydantic import BeforeValidator

from feeds.serving.page_limit import LIMIT_DEFAULT, LIMIT_MAX, LIMIT_MIN


def _digits(value: object) -> object:
    """Accept only whole numbers as XRPC writes them; pydantic alone would also accept "1_0", " 10" and "10.0"."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise ValueError("expected a whole number")
    return value


class SkeletonQuery(Schema):
    """Parameters of app.bsky.feed.getFeedSkeleton."""

    feed: str = Field(description="at-uri of the generator record")
    limit: Annotated[int, BeforeValidator(_digits), Field(ge=LIMIT_MIN, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: str | None = Field(None, description="the cursor of the previous page")


class FeedAddress(Schema):
    uri: str


class GeneratorDescription(Schema):
    """Output of app.bsky.feed.describeFeedGenerator; `did` is the service's, not the publisher's."""

    did: str
    feeds: list[FeedAddress]
