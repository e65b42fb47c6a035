"""Top: the most liked root posts of the last hours; of equal ones the newest first (`top-1h`, `top-24h`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from feeds import ranked
from feeds.feed import FeedDescription, describe
from feeds.likes import CHECKS, LikesRanking
from feeds.parameters import between, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.data import FeedData
    from feeds.feed import Definition, FeedPage, FeedRequest, Parameters
    from feeds.parameters import Check
    from feeds.ranking import RankedPost

#: A week: likes taken back within a longer time do not fit into a ranking's memory on the whole network.
HOURS_MAX: Final = 7 * 24


@dataclass(frozen=True, slots=True)
class TopParameters:
    """What a definition may say."""

    #: Age of the oldest post.
    hours: int = 24
    #: Age of the youngest.
    min_age_minutes: int = 0
    min_likes: int = 10
    #: Who follows as many accounts as this is left out, as in hot.
    following_max: int = 4000
    refresh_seconds: int = 60
    #: As in hot.
    language: str = ""
    media: str = "any"

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """Raises InvalidDefinition for an unknown name or a value out of its range."""
        return read(cls, parameters, _CHECKS)


_CHECKS: Final[Mapping[str, Check]] = {"hours": between(1, HOURS_MAX), "min_age_minutes": between(0, 60), **CHECKS}


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
