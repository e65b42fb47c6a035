"""Top: the most liked root posts of the last hours; the newest first among equals (`top-1h`, `top-24h`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from feeds.kinds import likes_ranking
from feeds.kinds.kind import Kind
from feeds.kinds.likes_feed import NONE_QUALIFIES, NetworkFeed, likes_in_words
from feeds.ranking.parameters import Between, parameter

#: A week: on the whole network, the removed likes of a longer period do not fit into a ranking's memory.
HOURS_MAX: Final = 7 * 24


@dataclass(frozen=True, slots=True)
class TopParameters:
    """Parameters of a top feed."""

    hours: int = parameter(24, Between(1, HOURS_MAX), "Maximum age of a post, in hours.")
    min_age_minutes: int = parameter(0, Between(0, 60), "Minimum age of a post, in minutes.")
    min_likes: int = likes_ranking.min_likes(10)
    following_max: int = likes_ranking.following_max()
    refresh_seconds: int = likes_ranking.refresh_seconds(60)
    language: str = likes_ranking.language()
    media: str = likes_ranking.media()


class Top(NetworkFeed[TopParameters]):
    """A ranked feed, the most liked posts first."""

    formula = "likes"

    @property
    def window(self) -> int:
        return self.parameters.hours

    def reason(self, likes: int, age_hours: float) -> str:
        return reason(likes, age_hours)


def reason(likes: int, age_hours: float) -> str:
    """The numbers of one post."""
    return f"{likes_in_words(likes)}, {age_hours:.1f} hours old"


KIND: Final = Kind("top", "The most liked posts of the last hours.", TopParameters, Top, NONE_QUALIFIES)
