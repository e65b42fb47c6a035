"""A search, by likes: hot and top. The rankings are those of the kinds hot and top, over the posts of the search."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from feeds.kinds import hot, top
from feeds.kinds.like_counts import PostCondition
from feeds.kinds.likes_feed import LikesFeed
from feeds.kinds.likes_ranking import limits_until
from feeds.kinds.search_feed import SearchFeed
from feeds.kinds.search_parameters import SearchParameters
from indexer.index.query.matches import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atsite.core.clickhouse.door import Limits
    from feeds.ranking.ranking import RankedPost
    from indexer.index.query.conditions import Where

#: Length of the ranking: 20 pages of 50.
SIZE: Final = 1_000
#: Up to this many posts of a search are all counted; of more, those with the most likes in the window are.
HITS_MAX: Final = 20_000
#: About how many record keys with the most likes in the window are looked through then.
CANDIDATES_MAX: Final = 80_000

# Without FINAL: earlier versions of posts are among them, which the exact count leaves out.
HITS = """
SELECT DISTINCT rkey
FROM posts
WHERE rkey >= {low:String} AND rkey < {high:String} AND CONDITIONS
LIMIT {limit:UInt32}
"""


def hits(where: Where, *, low: str, high: str, limit: int, limits: Limits) -> list[str]:
    """At most `limit` record keys of posts that match, or did before an edit, from `low` on and below `high`."""
    params = {**where.parameters, "low": low, "high": high, "limit": limit}
    return list(door.column(statement(HITS, where), params, name="feeds.search_hits", limits=limits))


@dataclass(frozen=True)
class SearchByLikes(SearchFeed, LikesFeed[SearchParameters]):
    """A ranked feed of the posts that a search finds."""

    @property
    def window(self) -> int:
        return self.parameters.hours

    @property
    def condition(self) -> PostCondition:
        where = self.where(self.data.clock())
        return PostCondition(where.sql, where.parameters)

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        deadline = monotonic() + seconds
        ranking = self.ranking()
        low, high = ranking.window(now)
        found = hits(self.where(now), low=low, high=high, limit=HITS_MAX + 1, limits=limits_until(deadline))
        if len(found) <= HITS_MAX:
            return ranking.of(found, now, deadline=deadline)[:SIZE] if found else []
        return ranking.rank(now, deadline=deadline, size=SIZE, candidates_max=CANDIDATES_MAX)


class SearchHot(SearchByLikes):
    formula = "hot"

    def reason(self, likes: int, age_hours: float) -> str:
        return hot.reason(likes, age_hours)


class SearchTop(SearchByLikes):
    formula = "likes"

    def reason(self, likes: int, age_hours: float) -> str:
        return top.reason(likes, age_hours)
