"""Exact ranking by likes, shared by the kinds hot, top and search.

Formulas: `hot` is atsiteHotScore, (likes - 1) / (age in hours + 2) ^ 1.8, as in the view recent_posts_with_score;
`likes` is the plain number of likes. Each actor's like counts once, and only while it is not removed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse.door import Limits
from feeds.kinds import like_counts
from feeds.ranking import queries, ranking, spam_guard
from feeds.ranking.parameters import Between, OneOf, Word, parameter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from feeds.kinds.like_counts import Candidate, PostCondition
    from feeds.ranking.ranking import RankedPost

MINUTE: Final = 60_000_000
HOUR: Final = 60 * MINUTE

#: Likes of at least this period count, as in the view: actors choose the rkeys of their likes, and no like is older
#: than its post.
LIKES_HOURS: Final = 72
#: Candidates of the first round, measured to be enough for the best 3,000 of 2 million posts; each further round takes
#: WIDENING times as many.
CANDIDATES: Final = 5000
WIDENING: Final = 4
#: Bytes. A ranking may use half of the memory of the embedded engine.
MEMORY: Final = 1_000_000_000

Formula = Literal["hot", "likes"]
MEDIA: Final = {
    "any": "all posts",
    "with": "only posts with pictures or a video",
    "without": "only posts without pictures or a video",
}
LANGUAGE: Final = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"


# Parameters of both kinds.
def min_likes(default: int) -> int:
    """Parameter: the minimum number of likes."""
    return parameter(
        default,
        Between(1, 1_000_000),
        "Minimum number of likes. The fewer people the feed is for, the lower it should be.",
    )


def following_max() -> int:
    """Parameter: from how many followed accounts on an author is left out (feeds.ranking.spam_guard)."""
    return parameter(
        4000,
        Between(1, 1_000_000),
        "Leaves out authors who follow this many accounts or more: most of them follow to be followed back.",
    )


def refresh_seconds(default: int) -> int:
    """Parameter: seconds between refreshes."""
    return parameter(
        default, Between(10, 3600), "Seconds between refreshes of the ranking. The worker checks once a minute."
    )


def language() -> str:
    """Parameter: a language."""
    check = Word(LANGUAGE, "a language such as ja, or empty for all", optional=True)
    return parameter("", check, "Only posts that declare this language, such as ja or pt (includes pt-BR). Empty: all.")


def media() -> str:
    """Parameter: with or without pictures."""
    return parameter("any", OneOf(MEDIA), "Pictures and videos.")


@dataclass(frozen=True, slots=True)
class LikesRanking:
    """A ranking of the posts of the last `hours` that meet `condition`, without those by mass followers.

    Its methods raise ClickHouseError.
    """

    formula: Formula
    hours: int
    min_age_minutes: int
    min_likes: int
    following_max: int
    condition: PostCondition = field(default_factory=like_counts.root_posts)

    def window(self, now: int) -> tuple[str, str]:
        """The lowest record key of its posts, and the one that they are below."""
        return tid_of_micros(now - self.hours * HOUR), tid_of_micros(now - self.min_age_minutes * MINUTE)

    def rank(
        self, now: int, *, deadline: float, size: int | None = None, candidates_max: int | None = None
    ) -> Sequence[RankedPost]:
        """The best `size` posts (None: SIZE_MAX), exactly; `deadline`: monotonic.

        With `candidates_max` only the best among about so many record keys with the most likes in the window.
        """
        return rank_exactly(
            lambda wanted: self._candidates(now, wanted, deadline),
            lambda candidates: self.of([candidate.rkey for candidate in candidates], now, deadline=deadline),
            size=size,
            candidates_max=candidates_max,
        )

    def _candidates(self, now: int, wanted: int, deadline: float) -> list[Candidate]:
        """The `wanted` record keys with the highest bounds, highest first."""
        low, high = self.window(now)
        return like_counts.liked_candidates(
            formula=self.formula,
            now=now,
            low=low,
            high=high,
            min_likes=self.min_likes,
            limit=wanted,
            limits=limits_until(deadline),
        )

    def of(self, rkeys: Sequence[str], now: int, *, deadline: float) -> list[RankedPost]:
        """The posts with these record keys that qualify, best first."""
        ranked = like_counts.liked_exact(
            rkeys,
            formula=self.formula,
            now=now,
            likes_from=oldest_like(now, self.hours),
            min_likes=self.min_likes,
            condition=self.condition,
            limits=limits_until(deadline),
        )
        spam = spam_guard.mass_followers(
            {post.key.did for post in ranked}, least=self.following_max, limits=limits_until(deadline)
        )
        living = queries.alive([post.key for post in ranked], limits=limits_until(deadline))
        return [post for post in ranked if post.key in living and post.key.did not in spam]


def rank_exactly(
    candidates: Callable[[int], Sequence[Candidate]],
    exact: Callable[[Sequence[Candidate]], Sequence[RankedPost]],
    *,
    size: int | None = None,
    candidates_max: int | None = None,
) -> Sequence[RankedPost]:
    """The best `size` posts (None: SIZE_MAX), exactly; with `candidates_max` not beyond about so many candidates.

    1. `candidates(wanted)`: the `wanted` record keys with the highest upper bounds of the score, highest first.
    2. `exact(candidates)`: the posts of these keys that qualify, with their scores, best first.
    3. Done if the last post scores above the bound of the last candidate: no other post can score higher. Otherwise
       start again with more candidates.
    """
    size = ranking.SIZE_MAX if size is None else size
    wanted = CANDIDATES
    while True:
        found = candidates(wanted)
        ranked = exact(found)[:size] if found else []
        if len(found) < wanted or (candidates_max is not None and wanted >= candidates_max):
            return ranked
        if len(ranked) == size and ranked[-1].score > found[-1].bound:
            return ranked
        wanted *= WIDENING


def oldest_like(now: int, hours: int) -> str:
    """The lowest record key of likes that count for the posts of the last `hours`."""
    return tid_of_micros(now - max(hours, LIKES_HOURS) * HOUR)


def limits_until(deadline: float) -> Limits:
    """Limits for the rest of the time (`deadline`: monotonic), at least one second: the server counts in seconds."""
    return Limits(max_execution_time=max(1, round(deadline - monotonic())), max_memory_usage=MEMORY, readonly=True)
