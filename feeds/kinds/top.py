"""Top: the most liked root posts of the last hours; of equal ones the newest first (`top-1h`, `top-24h`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from feeds.kinds import likes
from feeds.kinds.by_likes import NONE_QUALIFIES, ByLikes, counted
from feeds.kinds.kind import Kind
from feeds.ranking.parameters import Between, parameter

#: A week: likes taken back within a longer time do not fit into a ranking's memory on the whole network.
HOURS_MAX: Final = 7 * 24


@dataclass(frozen=True, slots=True)
class TopParameters:
    """What a definition may say."""

    hours: int = parameter(24, Between(1, HOURS_MAX), "Maximum age of a post, in hours.")
    min_age_minutes: int = parameter(0, Between(0, 60), "Minimum age of a post, in minutes.")
    min_likes: int = likes.min_likes(10)
    following_max: int = likes.following_max()
    refresh_seconds: int = likes.refresh_seconds(60)
    language: str = likes.language()
    media: str = likes.media()


class Top(ByLikes[TopParameters]):
    """The most liked ones first."""

    formula = "likes"

    @property
    def window(self) -> int:
        return self.parameters.hours

    def reason(self, likes: int, age_hours: float) -> str:
        return f"{counted(likes)}, {age_hours:.1f} hours old"


KIND: Final = Kind("top", "The most liked posts of the last hours.", TopParameters, Top, NONE_QUALIFIES)
