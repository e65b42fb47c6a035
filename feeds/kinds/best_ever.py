"""Ranking by live likes of all time. The likes of all popular posts do not fit in memory: few are read at a time."""

from __future__ import annotations

from operator import attrgetter
from time import monotonic
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse.errors import QueryTimedOut
from feeds.kinds import like_counts
from feeds.kinds.likes_ranking import limits_until, rank_exactly
from feeds.ranking import queries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from feeds.kinds.like_counts import Candidate
    from feeds.ranking.ranking import RankedPost

#: Likes counted by one statement, unless a single post has more.
AT_A_TIME: Final = 1_000_000


def rank(*, min_likes: int, seconds: int) -> Sequence[RankedPost]:
    """The best SIZE_MAX root posts with at least `min_likes`, exactly. Raises ClickHouseError."""
    deadline = monotonic() + seconds
    return rank_exactly(
        lambda wanted: like_counts.liked_ever_candidates(
            min_likes=min_likes, limit=wanted, limits=limits_until(deadline)
        ),
        lambda candidates: _exact(candidates, min_likes, deadline),
    )


def _exact(candidates: Iterable[Candidate], min_likes: int, deadline: float) -> Sequence[RankedPost]:
    ranked: list[RankedPost] = []
    for part in parts(candidates):
        if monotonic() > deadline:
            raise QueryTimedOut("the likes of all time take too long to count", code=0, name="feeds.liked_ever")
        rkeys = [candidate.rkey for candidate in part]
        ranked += like_counts.liked_ever(rkeys, min_likes=min_likes, limits=limits_until(deadline))
    living = queries.alive([post.key for post in ranked], limits=limits_until(deadline))
    return sorted((post for post in ranked if post.key in living), key=attrgetter("order"), reverse=True)


def parts(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Split the candidates into parts with at most AT_A_TIME likes, or a single candidate.

    Ordered by time, because the likes of a post, and the keys of removed likes, are close to it in time.
    """
    part: list[Candidate] = []
    likes = 0.0
    for candidate in sorted(candidates, key=attrgetter("rkey")):
        if part and likes + candidate.bound > AT_A_TIME:
            yield part
            part, likes = [], 0.0
        part.append(candidate)
        likes += candidate.bound
    if part:
        yield part
