"""Pages of feeds that are ranked: read from a stored generation, or computed for want of one.

1. A first page is read from the current generation; its cursor names that generation and the position in it, so the
   pages of one walk never shift, whatever is refreshed meanwhile.
2. A cursor whose generation is no more ends the walk: an empty page without a cursor.
3. Without any generation (Redis empty or away, and no copy in this process) the ranking is computed, and its cursors
   name the moment and the last post: that walk may repeat or miss a post whose likes changed.
4. Entries that were deleted, or whose authors became inactive, are left out while reading. With ClickHouse away they
   stay in: the AppView leaves them out as well, and an answer is better than none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time_ns
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from feeds import computed, cursor, metrics, queries, ranking
from feeds.computed import ComputedRankings
from feeds.cursor import InvalidCursor
from feeds.feed import Feed, FeedPage, FeedRequest, SkeletonPost
from feeds.generations import Generations
from feeds.patience import Patience, StoreAway

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set

    from feeds.feed import PostKey
    from feeds.ranking import Cut, Generation, RankedPost

END = FeedPage()


def unix_micros() -> int:
    """Now."""
    return time_ns() // 1000


@runtime_checkable
class RankedFeed(Feed, Protocol):
    """A feed whose order is computed from time to time, not asked for each page."""

    @property
    def refresh_seconds(self) -> int:
        """How old its generation becomes before it is made anew."""

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        """The ranking at the moment `now` (unix microseconds), best first, at most ranking.SIZE_MAX posts.

        Raises ClickHouseError, QueryTimedOut when it takes longer than `seconds`.
        """


@dataclass(frozen=True)
class RankedData:
    """Where the pages of ranked feeds come from; one for each process, shared by its feeds."""

    generations: Generations = field(default_factory=Generations)
    # Readers are gone after 5 s: a look-up of 2 s leaves room for everything else.
    lookups: Patience = field(default_factory=lambda: Patience("clickhouse", seconds=2, pause=1))
    computed: ComputedRankings = field(
        default_factory=lambda: ComputedRankings(
            Patience("clickhouse-ranking", seconds=computed.BUDGET_SECONDS, pause=1)
        )
    )
    clock: Callable[[], int] = unix_micros

    def page(self, feed: RankedFeed, request: FeedRequest) -> FeedPage:
        """Raises InvalidCursor, FeedUnavailable."""
        now = self.clock()
        match request.cursor:
            case None:
                return self._first(feed, request.limit, now)
            case cursor.Ranked(id, position):
                return self._stored(feed, id, position, request.limit, now)
            case cursor.Computed(moment):
                return self._computed(feed, moment, request, now)
            case _:
                raise InvalidCursor("the cursor belongs to another kind of feed")

    def _first(self, feed: RankedFeed, limit: int, now: int) -> FeedPage:
        generation = self.generations.current(feed.definition.key, now=now)
        if generation is not None:
            _count(feed, "stored")
            return self._cut_generation(generation, 0, limit)
        return self._computed(feed, computed.newest_moment(now), FeedRequest(limit), now)

    def _stored(self, feed: RankedFeed, id: str, position: int, limit: int, now: int) -> FeedPage:
        generation = self.generations.get(feed.definition.key, id, now=now)
        if generation is None:
            _count(feed, "expired")
            return END
        if position >= len(generation.posts):
            raise InvalidCursor("the cursor lies beyond the end of the ranking")
        _count(feed, "stored")
        return self._cut_generation(generation, position, limit)

    def _computed(self, feed: RankedFeed, moment: int, request: FeedRequest, now: int) -> FeedPage:
        if not computed.is_given(moment, now):
            raise InvalidCursor("the cursor names no moment of which a ranking was made")
        if computed.is_expired(moment, now):
            _count(feed, "expired")
            return END
        ranked = self.computed.at(feed, moment)
        _count(feed, "computed")
        position = 0
        if isinstance(request.cursor, cursor.Computed):
            position = ranking.after(ranked, (request.cursor.score, request.cursor.rkey, request.cursor.did))
        cut = ranking.cut([post.key for post in ranked], position, request.limit, self._alive)
        if cut.position is None:
            return _page(cut, None)
        last = ranked[cut.position - 1]
        return _page(cut, cursor.Computed(moment, last.score, last.key.rkey, last.key.did))

    def _cut_generation(self, generation: Generation, position: int, limit: int) -> FeedPage:
        cut = ranking.cut(generation.posts, position, limit, self._alive)
        return _page(cut, None if cut.position is None else cursor.Ranked(generation.id, cut.position))

    def _alive(self, posts: Sequence[PostKey]) -> Set[PostKey]:
        try:
            return self.lookups.call(lambda: queries.alive(posts))
        except StoreAway:
            metrics.UNFILTERED.inc()
            return frozenset(posts)


def _page(cut: Cut, next_page: cursor.Cursor | None) -> FeedPage:
    return FeedPage(tuple(SkeletonPost(post.uri) for post in cut.posts), next_page)


def _count(feed: RankedFeed, source: str) -> None:
    metrics.RANKINGS.labels(feed=feed.definition.rkey, source=source).inc()
