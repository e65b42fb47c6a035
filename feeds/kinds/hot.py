"""Hot: root posts by likes, falling with age; the ranking of `whats-hot`.

score = (likes - 1) / (age in hours + 2) ^ 1.8 (the function atsiteHotScore and the view recent_posts_with_score).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from feeds import ranked
from feeds.feed import FeedDescription, describe
from feeds.likes import CHECKS, LIKES_HOURS, LikesRanking
from feeds.parameters import between, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.data import FeedData
    from feeds.feed import Definition, FeedPage, FeedRequest, Parameters
    from feeds.parameters import Check
    from feeds.ranking import RankedPost


@dataclass(frozen=True, slots=True)
class HotParameters:
    """What a definition may say."""

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
    #: Posts that name this language ("" for all); `pt` takes `pt-BR`, too.
    language: str = ""
    #: Pictures or video: any, with, without.
    media: str = "any"

    @classmethod
    def of(cls, parameters: Parameters) -> Self:
        """Raises InvalidDefinition for an unknown name or a value out of its range."""
        return read(cls, parameters, _CHECKS)


_CHECKS: Final[Mapping[str, Check]] = {
    "window_hours": between(1, LIKES_HOURS),
    "min_age_minutes": between(0, 60),
    **CHECKS,
}


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
