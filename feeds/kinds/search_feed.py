"""What feeds made of a search share: what they ask the index, why a post is in or out, how many posts a day gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse import door
from atsite.core.web.store_timeouts import StoreGuard
from feeds.kinds import search_query, search_reasons
from feeds.kinds.search_query import ResolvedQueries
from feeds.ranking.coalescing import Coalescer
from feeds.ranking.feed import FeedUnavailable
from feeds.ranking.parameters import in_words
from feeds.ranking.spam_guard import RememberedFollowers
from feeds.ranking.tails import Tails
from indexer.index.query.parse import BadQuery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atsite.core.clickhouse.limits import Limits
    from feeds.kinds.kind import Finding
    from feeds.kinds.search_parameters import SearchParameters
    from feeds.ranking.feed import Definition, PostKey
    from feeds.ranking.page_data import FeedData
    from indexer.index.page_refill import Candidates
    from indexer.index.query.conditions import Where

#: Seconds that a page may read the index: a reader waits 5, and the posts found are looked up after that.
INDEX_SECONDS: Final = 3

POSTS_BETWEEN = """
SELECT count() FROM posts FINAL WHERE rkey >= {low:String} AND rkey < {high:String} AND CONDITIONS
"""
# Likes that were taken back count as well: it is about how many posts a day gives, not about their order.
WITH_LIKES = """uri IN
(
    SELECT subject_uri FROM engagement
    WHERE kind = 'like' AND subject_rkey >= {low:String} AND subject_rkey < {high:String}
    GROUP BY subject_uri HAVING uniqExact(did) >= {min_likes:UInt32}
)"""


@dataclass(frozen=True)
class Memory:
    """What a process keeps for all feeds made of a search."""

    tails: Tails = field(default_factory=Tails)
    queries: ResolvedQueries = field(default_factory=ResolvedQueries)
    followers: RememberedFollowers = field(default_factory=RememberedFollowers)
    found: Coalescer[Candidates[PostKey, PostKey]] = field(default_factory=Coalescer)
    _guards: dict[str, StoreGuard] = field(default_factory=dict)

    def guard(self, definition: Definition) -> StoreGuard:
        """For reads of the index by one feed: to others a query that is too slow is no store that is down."""
        guard = self._guards.get(definition.key)
        if guard is None:
            guard = StoreGuard("clickhouse-search", seconds=INDEX_SECONDS, pause=1)
            guard = self._guards.setdefault(definition.key, guard)
        return guard


@dataclass(frozen=True)
class SearchFeed:
    """A feed made of a search."""

    definition: Definition
    parameters: SearchParameters
    data: FeedData

    #: Whether likes decide what is in it.
    is_ranked: ClassVar[bool] = True

    @property
    def memory(self) -> Memory:
        """What this process keeps for it and its like."""
        return self.data.memory(Memory)

    def where(self, now: int) -> Where:
        """What it asks the index at the moment `now`. Raises FeedUnavailable, ClickHouseError."""
        resolved = self.memory.queries.of(self.parameters)
        try:
            return search_query.where(self.parameters, resolved, now=now)
        except BadQuery as error:
            raise FeedUnavailable(f"the query of this feed cannot be asked now: {in_words(error)}") from error

    def explain(self, post: PostKey, now: int) -> Sequence[Finding]:
        """What of the query and the settings holds for a post, and what does not; nothing if it is not indexed.

        Raises FeedUnavailable, ClickHouseError.
        """
        where = self.where(now)
        return search_reasons.findings(
            self.definition, self.parameters, self.data, where, post, now, ranked=self.is_ranked
        )

    def count(self, since: int, until: int, *, limits: Limits) -> int:
        """How many posts of a period (unix microseconds) the query and the settings let in.

        Raises FeedUnavailable, ClickHouseError (QueryTimedOut, MemoryLimit).
        """
        where = self.where(until)
        conditions = f"{where.sql} AND {WITH_LIKES}" if self.is_ranked else where.sql
        params = {
            **where.parameters,
            "low": tid_of_micros(since),
            "high": tid_of_micros(until),
            "min_likes": self.parameters.min_likes,
        }
        counting = POSTS_BETWEEN.replace("CONDITIONS", conditions)
        return int(door.scalar(counting, params, name="feeds.search_count", limits=limits))
