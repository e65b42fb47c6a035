"""Pages of ranked feeds: read from a stored generation.

1. A first page is read from the current generation; its cursor names that generation and the position in it, so the
   pages of one walk never shift, even if the feed is refreshed meanwhile.
2. A cursor whose generation has expired ends the walk: an empty page without a cursor. No cursor has a ranking made:
   anyone can forge one.
3. Without any generation (Redis empty or down, and no copy in this process) a first page has one made in the
   background, and its reader waits without a thread, or must retry (RankingPending).
4. Posts that were deleted, or whose authors became inactive, are left out while reading. If ClickHouse is down they
   stay in: the AppView leaves them out as well, and an answer is better than none.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feeds.ranking import cursor, metrics, ranking
from feeds.ranking.cursor import InvalidCursor
from feeds.ranking.feed import FeedPage, FeedUnavailable, RankingPending, SkeletonPost
from feeds.ranking.generations import SECOND

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from feeds.ranking.computed import ComputedRankings
    from feeds.ranking.feed import FeedRequest, PostKey
    from feeds.ranking.page_data import FeedData
    from feeds.ranking.ranking import Generation, RankedFeed

END = FeedPage()


def page(feed: RankedFeed, data: FeedData, request: FeedRequest) -> FeedPage:
    """A page of a ranked feed. Raises InvalidCursor, FeedUnavailable, RankingPending."""
    return _Pages(feed, data, feed.definition.key, data.clock(), data.computed).page(request)


def personal_page(
    feed: RankedFeed, data: FeedData, request: FeedRequest, *, key: str, computed: ComputedRankings
) -> FeedPage:
    """A page of one reader's own ranking: `key` identifies it in stores, and `computed` makes it.

    A ranking older than the feed's `refresh_seconds` is made again in the background; its reader gets the old one.
    """
    return _Pages(feed, data, key, data.clock(), computed, renews=True).page(request)


@dataclass(frozen=True)
class _Pages:
    """`key`: the ranking's name in stores. `now`: the moment of the request. `renews`: an old ranking is made again."""

    feed: RankedFeed
    data: FeedData
    key: str
    now: int
    computed: ComputedRankings
    renews: bool = False

    def page(self, request: FeedRequest) -> FeedPage:
        match request.cursor:
            case None:
                return self._first(request.limit)
            case cursor.Ranked(id, position):
                return self._stored(id, position, request.limit)
            case cursor.Computed():  # of an earlier version
                self._count("expired")
                return END
            case _:
                raise InvalidCursor("the cursor belongs to another kind of feed")

    def _first(self, limit: int) -> FeedPage:
        generation = self.data.generations.current(self.key, now=self.now)
        if generation is not None:
            self._count("stored")
            self._renew(generation)
            return self._cut_generation(generation, 0, limit)
        if self.computed.is_empty(self.key, now=self.now):
            self._count("empty")
            return END
        made = self.computed.start(self.feed, self.key, self.data.generations, now=self.now)
        self._count("pending")
        raise RankingPending(made)

    def _renew(self, generation: Generation) -> None:
        made_at = generation.made_at
        if self.renews and self.now - made_at >= self.feed.refresh_seconds * SECOND:
            with suppress(FeedUnavailable):
                self.computed.start(self.feed, self.key, self.data.generations, now=self.now, after=made_at)

    def _stored(self, id: str, position: int, limit: int) -> FeedPage:
        generation = self.data.generations.get(self.key, id, now=self.now)
        if generation is None:
            self._count("expired")
            return END
        if position >= len(generation.posts):
            raise InvalidCursor("the cursor lies beyond the end of the ranking")
        self._count("stored")
        return self._cut_generation(generation, position, limit)

    def _cut_generation(self, generation: Generation, position: int, limit: int) -> FeedPage:
        cut = ranking.cut(generation.posts, position, limit, self._listed)
        following = None if cut.position is None else cursor.Ranked(generation.id, cut.position)
        return FeedPage(tuple(SkeletonPost(post.uri) for post in cut.posts), following)

    def _listed(self, posts: Sequence[PostKey]) -> Set[PostKey]:
        return self.data.listed(self.feed.definition, posts)

    def _count(self, source: str) -> None:
        metrics.RANKINGS.labels(feed=self.feed.definition.rkey, source=source).inc()
