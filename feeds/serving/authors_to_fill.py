"""The actors whose names and counts the feeds need (indexer.index.needed_actors)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Did
from atsite.core.clock import now_us
from feeds.ranking.generations import Generations
from feeds.serving.registry import ranked_feeds, registry

if TYPE_CHECKING:
    from collections.abc import Iterator


def ranked_authors() -> Iterator[Did]:
    """The authors of posts in the current rankings, best rank first. Raises FeedUnavailable, redis.RedisError."""
    generations, now = Generations(), now_us()
    for feed in ranked_feeds(registry()):
        current = generations.newest(feed.definition.key, now=now)
        for post in current.posts if current else ():
            yield Did(post.did)
