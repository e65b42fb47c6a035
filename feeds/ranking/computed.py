"""Rankings that a process computes itself when there is no stored generation, one at a time.

They are computed for moments on a grid, so that many readers share one, and so that a changed cursor cannot cause
rankings of arbitrary moments to be computed.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from atsite.core.ttl_cache import TtlCache
from feeds.ranking.feed import FeedUnavailable
from feeds.ranking.generations import IDLE, SECOND
from feeds.ranking.store_timeouts import StoreAway

if TYPE_CHECKING:
    from feeds.ranking.ranking import RankedFeed, RankedPost
    from feeds.ranking.store_timeouts import StoreGuard

#: Rankings are computed for whole multiples of this (microseconds).
GRID: Final = 15 * SECOND
#: Seconds for one computation, and for waiting for another one: a reader waits at most 5.
BUDGET_SECONDS: Final = 3
#: Rankings remembered; each is below half a megabyte.
REMEMBERED: Final = 16
#: A later request computes the ranking of its moment again.
REMEMBERED_SECONDS: Final = 3600.0


class ComputedRankings:
    """The last rankings that this process computed. Thread-safe."""

    def __init__(self, clickhouse: StoreGuard) -> None:
        self._clickhouse = clickhouse
        self._rankings: TtlCache[tuple[str, int], tuple[RankedPost, ...]] = TtlCache(
            size=REMEMBERED, seconds=REMEMBERED_SECONDS
        )
        # One for all rankings, and not one for each: a computation is work for the whole server.
        self._computing = threading.Lock()

    def at(self, feed: RankedFeed, moment: int, *, key: str | None = None) -> tuple[RankedPost, ...]:
        """The ranking of the feed for a moment on the GRID. Raises FeedUnavailable if it is not ready in time.

        `key`: names a ranking that is not the same for all readers.
        """
        name = (key or feed.definition.key, moment)
        found = self._rankings.peek(name)
        if found is not None:
            return found
        if not self._computing.acquire(timeout=BUDGET_SECONDS):
            raise FeedUnavailable("the ranking is being computed")
        try:
            return self._rankings.get(name, lambda: self._compute(feed, moment))
        finally:
            self._computing.release()

    def _compute(self, feed: RankedFeed, moment: int) -> tuple[RankedPost, ...]:
        try:
            return tuple(self._clickhouse.call(lambda: feed.rank(moment, seconds=BUDGET_SECONDS)))
        except StoreAway as error:
            raise FeedUnavailable("the ranking cannot be computed now") from error


def newest_moment(now: int) -> int:
    """The latest moment of the grid."""
    return now - now % GRID


def is_valid_moment(moment: int, now: int) -> bool:
    """Whether a cursor with this moment can have been given out."""
    return moment % GRID == 0 and moment <= now


def is_expired(moment: int, now: int) -> bool:
    """Whether a walk that began at this moment has expired, after as long as an unread generation is kept."""
    return moment <= now - IDLE
