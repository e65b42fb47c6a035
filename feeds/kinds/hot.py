"""Hot: root posts by likes, falling with age; the ranking of `whats-hot`.

score = (likes - 1) / (age in hours + 2) ^ 1.8 (the function atsiteHotScore and the view recent_posts_with_score).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from feeds import likes, ranked
from feeds.feed import FeedDescription, describe
from feeds.likes import LIKES_HOURS, LikesRanking
from feeds.parameters import Between, parameter, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.data import FeedData
    from feeds.feed import Definition, FeedPage, FeedRequest, Parameters
    from feeds.ranking import RankedPost


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


@dataclass(frozen=True)
class Hot:
    """A ranked feed of recent root posts (feeds.ranked.RankedFeed)."""

    definition: Definition
    parameters: HotParameters
    data: FeedData

    @classmethod
    def of(cls, definition: Definition, data: FeedData) -> Self:
        """Raises InvalidDefinition."""
        return cls(definition, HotParameters.of(definition.parameters), data)

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
            "hot",
            self.parameters.window_hours,
            self.parameters.min_age_minutes,
            self.parameters.min_likes,
            self.parameters.following_max,
            self.parameters.language,
            self.parameters.media,
        )
        return ranks.rank(now, seconds=seconds)
