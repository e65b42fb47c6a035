"""Hot: root posts by likes, falling with age; the ranking of `whats-hot`.

score = (likes - 1) / (age in hours + 2) ^ 1.8 (the function atsiteHotScore and the view recent_posts_with_score).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from feeds.kinds import likes
from feeds.kinds.by_likes import ByLikes
from feeds.kinds.likes import LIKES_HOURS
from feeds.ranking.parameters import Between, parameter, read

if TYPE_CHECKING:
    from feeds.ranking.feed import Definition, Parameters
    from feeds.ranking.page_data import FeedData


@dataclass(frozen=True, slots=True)
class HotParameters:
    """What a definition may say."""

    window_hours: int = parameter(
        24,
        Between(1, LIKES_HOURS),
        "Age of the oldest post, in hours. A post of one day has a hundredth of its first score left.",
    )
    min_age_minutes: int = parameter(
        5, Between(0, 60), "Age of the youngest post, in minutes: a few early likes say nothing yet."
    )
    min_likes: int = likes.min_likes(100)
    following_max: int = likes.following_max()
    refresh_seconds: int = likes.refresh_seconds(60)
    language: str = likes.language()
    media: str = likes.media()

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """Raises InvalidDefinition for an unknown name or a value out of its range."""
        return read(cls, parameters)


class Hot(ByLikes[HotParameters]):
    """A ranked feed of recent root posts."""

    formula = "hot"

    @classmethod
    def of(cls, definition: Definition, data: FeedData) -> Self:
        """Raises InvalidDefinition."""
        return cls(definition, HotParameters.of(definition.parameters), data)

    @property
    def window(self) -> int:
        return self.parameters.window_hours
