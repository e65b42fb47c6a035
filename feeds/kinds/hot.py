"""Hot: root posts by likes, falling with age; the ranking of `whats-hot`.

score = (likes - 1) / (age in hours + 2) ^ 1.8 (the function atsiteHotScore and the view recent_posts_with_score).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from atsite.atproto.tid import tid_of_micros
from atsite.clickhouse.door import Limits
from feeds import queries, ranking
from feeds.feed import FeedDescription, InvalidDefinition, describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.feed import Definition, FeedPage, FeedRequest, Parameters
    from feeds.ranked import RankedData
    from feeds.ranking import RankedPost

MINUTE: Final = 60_000_000
HOUR: Final = 60 * MINUTE

#: Likes count from here on, as in the view: a like's rkey is its actor's to choose, and none is older than the post.
LIKES_HOURS: Final = 72
#: Taken at first, which was measured to prove the best 3,000 of 2 million posts; each further time so many times more.
CANDIDATES: Final = 5000
WIDENING: Final = 4
#: A ranking may use half of what the embedded engine has.
MEMORY: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class HotParameters:
    """What a definition may say; every value is a whole number."""

    #: Age of the oldest post. A day: what is older has a fiftieth of its score left.
    window_hours: int = 24
    #: Age of the youngest: a few early likes say nothing yet.
    min_age_minutes: int = 5
    #: Fewer likes than this are a small circle's; small communities want small numbers.
    min_likes: int = 100
    #: Who follows as many accounts as this is taken for one who gathers followers by following: left out.
    following_max: int = 4000
    #: Age of a generation when the next is made.
    refresh_seconds: int = 60

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """Raises InvalidDefinition for an unknown name or a value out of its range."""
        names = [field.name for field in fields(cls)]
        unknown = sorted(set(parameters) - set(names))
        if unknown:
            raise InvalidDefinition(f"unknown parameter {unknown[0]!r}: a hot feed has {', '.join(names)}")
        for name, value in parameters.items():
            low, high = _RANGES[name]
            if type(value) is not int or not low <= value <= high:
                raise InvalidDefinition(f"{name} must be a whole number from {low} to {high}")
        return cls(**parameters)


_RANGES: Final = {
    "window_hours": (1, LIKES_HOURS),
    "min_age_minutes": (0, 60),
    "min_likes": (1, 1_000_000),
    "following_max": (1, 1_000_000),
    "refresh_seconds": (10, 3600),
}


@dataclass(frozen=True)
class Hot:
    """A ranked feed of recent root posts (feeds.ranked.RankedFeed)."""

    definition: Definition
    parameters: HotParameters
    data: RankedData

    @classmethod
    def of(cls, definition: Definition, data: RankedData) -> Self:
        """Raises InvalidDefinition."""
        return cls(definition, HotParameters.of(definition.parameters), data)

    @property
    def depends_on_viewer(self) -> bool:
        return False

    @property
    def refresh_seconds(self) -> int:
        return self.parameters.refresh_seconds

    def page(self, request: FeedRequest) -> FeedPage:
        return self.data.page(self, request)

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        """The best SIZE_MAX posts, exactly.

        1. Candidates: record keys by an upper bound of the score.
        2. Exact likes of those; posts that are gone, inactive authors and mass followers leave.
        3. Proven when the last one kept scores above the last candidate's bound: nobody further down can reach it.
           Otherwise the same with more candidates.
        """
        deadline = monotonic() + seconds
        wanted = CANDIDATES
        while True:
            candidates = queries.hot_candidates(
                now=now,
                low=tid_of_micros(now - self.parameters.window_hours * HOUR),
                high=tid_of_micros(now - self.parameters.min_age_minutes * MINUTE),
                min_likes=self.parameters.min_likes,
                limit=wanted,
                limits=_limits(deadline),
            )
            ranked = self._exact([candidate.rkey for candidate in candidates], now, deadline)[: ranking.SIZE_MAX]
            if len(candidates) < wanted:
                return ranked
            if len(ranked) == ranking.SIZE_MAX and ranked[-1].score > candidates[-1].bound:
                return ranked
            wanted *= WIDENING

    def _exact(self, rkeys: Sequence[str], now: int, deadline: float) -> list[RankedPost]:
        if not rkeys:
            return []
        likes_from = tid_of_micros(now - LIKES_HOURS * HOUR)
        ranked = queries.hot_exact(
            rkeys, now=now, likes_from=likes_from, min_likes=self.parameters.min_likes, limits=_limits(deadline)
        )
        many = queries.following_many(
            {post.key.did for post in ranked}, least=self.parameters.following_max, limits=_limits(deadline)
        )
        living = queries.alive([post.key for post in ranked], limits=_limits(deadline))
        return [post for post in ranked if post.key in living and post.key.did not in many]


def _limits(deadline: float) -> Limits:
    """What is left of the time, at least a second: the server counts in seconds."""
    return Limits(max_execution_time=max(1, round(deadline - monotonic())), max_memory_usage=MEMORY, readonly=True)
