"""Whether posts may be shown, within the limits of a page of a feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.clickhouse import door
from indexer.index.posts import live_posts

if TYPE_CHECKING:
    from collections.abc import Collection

    from atsite.core.clickhouse.door import Limits
    from indexer.index.posts.post_key import PostKey

#: Limits while a reader waits for a page. One thread: a look-up by key reads few granules; more threads took longer.
PAGE = door.Limits(max_execution_time=2, max_memory_usage=500_000_000, max_threads=1, readonly=True)


def alive(posts: Collection[PostKey], *, limits: Limits = PAGE) -> set[PostKey]:
    """Those of `posts` that may be shown (live_posts.alive). Raises ClickHouseError."""
    return live_posts.alive(posts, limits=limits)


def alive_or_unknown(posts: Collection[PostKey], *, limits: Limits = PAGE) -> set[PostKey]:
    """Those of `posts`, which people chose, that may be shown, also if they are not indexed. Raises ClickHouseError."""
    return live_posts.alive_or_unknown(posts, limits=limits)
