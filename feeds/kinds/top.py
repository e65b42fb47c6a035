"""Top: the most liked root posts of the last hours; of equal ones the newest first (`top-1h`, `top-24h`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from feeds import likes, ranked
from feeds.feed import FeedDescription, describe
from feeds.likes import LikesRanking
from feeds.parameters import Between, parameter, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.data import FeedData
    from feeds.feed import Definition, FeedPage, FeedRequest, Parameters
    from feeds.ranking import RankedPost

#: A week: likes taken back within a longer time do not fit into a ranking's memory on the whole network.
HOURS_MAX: Final = 7 * 24


@dataclass(frozen=True, slots=True)
class TopParameters:
    """What a definition may say."""

    hours: int = parameter(24, Between(1, HOURS_MAX), "Age of the oldest post, in hours.")
    min_age_minutes: int = parameter(0, Between(0, 60), "Age of the youngest post, in minutes.")
    min_likes: int = likes.min_likes(10)
    following_max: int = likes.following_max()
    refresh_seconds: int = likes.refresh_seconds(60)
    language: str = likes.language()
    media: str = likes.media()

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """Raises InvalidDefinition for an unknown name or a value out of its range."""
        return read(cls, parameters)


@dataclass(frozen=True)
class Top:
    """A ranked feed (feeds.ranked.RankedFeed)."""

    definition: Definition
    parameters: TopParameters
    data: FeedData

    @classmethod
    def of(cls, definition: Definition, data: FeedData) -> Self:
        """Raises InvalidDefinition."""
        return cls(definition, TopParameters.of(definition.parameters), data)

    @property
    def depends_on_viewer(self) -> bool:
        return False

    @property
    def refresh_seconds(self) -> int:
        return self.parameters.refresh_seconds

    def page(self, request: FeedRequest) -> FeedPage:
        return ranked.page(self, self.data, request)

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        ranks = LikesRanking(
            "likes",
            self.parameters.hours,
            self.parameters.min_age_minutes,
            self.parameters.min_likes,
            self.parameters.following_max,
            self.parameters.language,
            self.parameters.media,
        )
        return ranks.rank(now, seconds=seconds)
