"""Hot: root posts ranked by likes, with a score that falls with age; the ranking of `whats-hot`.

score = (likes - 1) / (age in hours + 2) ^ 1.8 (the function atsiteHotScore and the view recent_posts_with_score).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from feeds.kinds import likes_ranking
from feeds.kinds.kind import Kind
from feeds.kinds.likes_feed import NONE_QUALIFIES, NetworkFeed, likes_in_words
from feeds.kinds.likes_ranking import LIKES_HOURS
from feeds.ranking.parameters import Between, parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atsite.core.config import Config

#: Of atsiteHotScore (indexer/sql/functions/hot_score.sql).
GRAVITY: Final = 1.8
HOURS_ADDED: Final = 2


@dataclass(frozen=True, slots=True)
class HotParameters:
    """Parameters of a hot feed."""

    window_hours: int = parameter(
        24,
        Between(1, LIKES_HOURS),
        "Maximum age of a post, in hours. After one day, a post has a hundredth of its first score left.",
    )
    min_age_minutes: int = parameter(
        5, Between(0, 60), "Minimum age of a post, in minutes: the first few likes say little about a post."
    )
    min_likes: int = likes_ranking.min_likes(100)
    following_max: int = likes_ranking.following_max()
    refresh_seconds: int = likes_ranking.refresh_seconds(60)
    language: str = likes_ranking.language()
    media: str = likes_ranking.media()


class Hot(NetworkFeed[HotParameters]):
    """A ranked feed of recent root posts."""

    formula = "hot"

    @property
    def window(self) -> int:
        return self.parameters.window_hours

    def reason(self, likes: int, age_hours: float) -> str:
        return reason(likes, age_hours)


def reason(likes: int, age_hours: float) -> str:
    """The formula with the numbers of one post."""
    score = hot_score(likes, age_hours)
    return f"({likes_in_words(likes)} − 1) ÷ ({age_hours:.1f} hours + {HOURS_ADDED})^{GRAVITY} = {score:.3f}"


def hot_score(likes: int, age_hours: float) -> float:
    """The same formula as atsiteHotScore in ClickHouse."""
    score: float = (likes - 1) / (age_hours + HOURS_ADDED) ** GRAVITY
    return score


def _site_defaults(site: Config) -> Mapping[str, Any]:
    return {"min_likes": site.feed_min_likes}


KIND: Final = Kind(
    "hot",
    "Recent posts by likes; the score falls with age, so the list keeps moving.",
    HotParameters,
    Hot,
    NONE_QUALIFIES,
    site_defaults=_site_defaults,
)
