"""Warnings about posts that were chosen for a feed and are not indexed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from atsite.core.atproto.aturi import AtUri
from atsite.core.clickhouse.errors import ClickHouseError
from feeds.admin import preview_queries
from feeds.ranking.feed import PostKey

if TYPE_CHECKING:
    from collections.abc import Mapping

log = structlog.get_logger(__name__)


def not_indexed(named: Mapping[str, str]) -> list[str]:
    """A warning for each of `named` (at-uri -> what it is for the feed) that is not indexed.

    Empty if ClickHouse does not answer: a post that is not indexed is not an error.
    """
    keys = {PostKey.of(AtUri.parse(uri)): uri for uri in named}
    try:
        known = preview_queries.post_texts(keys)
    except ClickHouseError as error:
        log.warning("post_warnings.unknown", error=type(error).__name__)
        return []
    return [
        f"{named[uri]} is not in the index: {uri}. It was saved anyway, because it may be older than the index. Check "
        "in an app that it exists."
        for key, uri in keys.items()
        if key not in known
    ]
