"""Pages of ranked feeds: read from a stored generation, or computed if there is none.

1. A first page is read from the current generation; its cursor names that generation and the position in it, so the
   pages of one walk never shift, even if the feed is refreshed meanwhile.
2. A cursor whose generation has expired ends the walk: an empty page without a cursor.
3. Without any generation (Redis empty or down, and no copy in this process) the ranking is computed, and its cursors
   name the moment and the last post: such a walk may repeat or miss a post whose likes changed.
4. Posts that were deleted, or whose authors became inactive, are left out while reading. If ClickHouse is down they
   stay in: the AppView leaves them out as well, and an answer is better than none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feeds.ranking import computed, cursor, metrics, ranking
from feeds.ranking.cursor import InvalidCursor
from feeds.ranking.feed import FeedPage, FeedRequest, SkeletonPost

if TYPE_CHECKING:
    from collections.abc import Sequence, Set

    from feeds.ranking.feed import PostKey
    from feeds.ranking.page_data import FeedData
    from feeds.ranking.ranking import Cut, Generation, RankedFeed

END = FeedPage()


def page(feed: RankedFeed, data: FeedData, request: FeedRequest) -> FeedPage:
    """A page of a ranked feed. Raises InvalidCursor, FeedUnavailable."""
    return _Pages(feed, data, feed.definition.key, data.clock()).page(request)


def personal_page(feed: RankedFeed, data: FeedData, reader: str, request: FeedRequest) -> FeedPage:
    """A page of one reader's own ranking; `reader` identifies the reader in stores."""
    return _Pages(feed, data, f"{feed.definition.key}/{reader}", data.clock()).page(request)


@dataclass(frozen=True)
class _Pages:
    """`key`: the ranking's name in stores. `now`: the moment of the request."""

    feed: RankedFeed
    data: FeedData
    key: str
    now: int

    def page(self, request: FeedRequest) -> FeedPage:
        match request.cursor:
            case None:
                return self._first(request.limit)
            case cursor.Ranked(id, position):
                return self._stored(id, position, request.limit)
            case cursor.Computed(moment):
                return self._computed(moment, request)
            case _:
                raise InvalidCursor("the cursor belongs to another kind of feed")

    def _first(self, limit: int) -> FeedPage:
        generation = self.data.generations.current(self.key, now=self.now)
        if generation is not None:
            self._count("stored")
            return self._cut_generation(generation, 0, limit)
        return self._computed(computed.newest_moment(self.now), FeedRequest(limit))

    def _stored(self, id: str, position: int, limit: int) -> FeedPage:
        generation = self.data.generations.get(self.key, id, now=self.now)
        if generation is None:
            self._count("expired")
            return END
        if position >= len(generation.posts):
            raise InvalidCursor("the cursor lies beyond the end of the ranking")
        self._count("stored")
        return self._cut_generation(generation, position, limit)

    def _computed(self, moment: int, request: FeedRequest) -> FeedPage:
        if not computed.is_valid_moment(moment, self.now):
            raise InvalidCursor("the cursor names a moment for which no ranking was made")
        if computed.is_expired(moment, self.now):
            self._count("expired")
            return END
        ranked = self.data.computed.at(self.feed, moment, key=self.key)
        self._count("computed")
        position = 0
        if isinstance(request.cursor, cursor.Computed):
            position = ranking.after(ranked, (request.cursor.score, request.cursor.rkey, request.cursor.did))
        cut = ranking.cut([post.key for post in ranked], position, request.limit, self._listed)
        if cut.position is None:
            return _page(cut, None)
        last = ranked[cut.position - 1]
        return _page(cut, cursor.Computed(moment, last.score, last.key.rkey, last.key.did))

    def _cut_generation(self, generation: Generation, position: int, limit: int) -> FeedPage:
        cut = ranking.cut(generation.posts, position, limit, self._listed)
        return _page(cut, None if cut.position is None else cursor.Ranked(generation.id, cut.position))

    def _listed(self, posts: Sequence[PostKey]) -> Set[PostKey]:
        return self.data.listed(self.feed.definition, posts)

    def _count(self, source: str) -> None:
        metrics.RANKINGS.labels(feed=self.feed.definition.rkey, source=source).inc()


def _page(cut: Cut, next_page: cursor.Cursor | None) -> FeedPage:
    return FeedPage(tuple(SkeletonPost(post.uri) for post in cut.posts), next_page)
