"""Top: the most liked root posts of the last hours; of equal ones the newest first (`top-1h`, `top-24h`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from feeds.kinds import likes
from feeds.kinds.by_likes import ByLikes
from feeds.ranking.parameters import Between, parameter, read

if TYPE_CHECKING:
    from feeds.ranking.feed import Definition, Parameters
    from feeds.ranking.page_data import FeedData

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


class Top(ByLikes[TopParameters]):
    """The most liked ones first."""

    formula = "likes"

    @classmethod
    def of(cls, definition: Definition, data: FeedData) -> Self:
        """Raises InvalidDefinition."""
        return cls(definition, TopParameters.of(definition.parameters), data)

    @property
    def window(self) -> int:
        return self.parameters.hours
