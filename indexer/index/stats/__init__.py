"""Statistics of the network: totals of all live rows, and numbers by day (UTC).

Counts are of live rows, so redelivered events and deletes cannot make them wrong; distinct actors are sets by hour. A
row without a plausible time in its rkey counts in the totals but in no day; `Totals` has their number. Back-filled rows
count in no day. The task `rewrite_daily_stats` fills the table `daily_stats`; readers get it from `daily`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from indexer.index.stats import queries
from indexer.index.stats.days import first_tid
from indexer.index.stats.queries import Day, Totals, daily, totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Day", "Totals", "daily", "rewrite_daily_stats", "rewrite_days", "totals"]

#: Most events and retractions of a day arrive within these days; later ones change little.
REWRITTEN_DAYS = 7


def rewrite_daily_stats(*, now: datetime, days: int = REWRITTEN_DAYS) -> list[Day]:
    """Recompute and store every day that events of the last `days` days affect. Returns the days, oldest first."""
    return rewrite_days(queries.touched_days(since=now - timedelta(days=days)), now=now)


def rewrite_days(days: Iterable[date], *, now: datetime) -> list[Day]:
    """Recompute and store these days; a day without live rows gets zeros. Returns the days, oldest first."""
    rows = [row for run in _runs(sorted(set(days))) for row in _computed(run)]
    queries.store_days(rows, computed_at=now)
    return rows


def _runs(days: Sequence[date]) -> list[Sequence[date]]:
    """`days`, ascending, cut into runs without a gap: each run is one key range."""
    cuts = [index for index, (day, after) in enumerate(pairwise(days), 1) if after - day > timedelta(days=1)]
    return [days[start:end] for start, end in pairwise([0, *cuts, len(days)]) if start < end]


def _computed(days: Sequence[date]) -> list[Day]:
    """The numbers of a run of days."""
    low, high = days[0], days[-1] + timedelta(days=1)
    keys = first_tid(low), first_tid(high)
    posts = {row.day: row for row in queries.posts_by_day(*keys)}
    likes = {row.day: row.count for row in queries.likes_by_day(*keys)}
    reposts = {row.day: row.count for row in queries.reposts_by_day(*keys)}
    graph = {row.day: row for row in queries.graph_by_day(low, high)}
    actors = {row.day: row for row in queries.actors_by_day(low, high)}
    rows = []
    for day in days:
        of_posts = posts.get(day) or queries.PostsOfDay(day, 0, 0, 0, 0)
        of_graph = graph.get(day) or queries.GraphOfDay(day, 0, 0)
        of_actors = actors.get(day) or queries.ActorsOfDay(day, 0, 0, 0, 0, 0, 0)
        rows.append(
            Day(
                day=day,
                posts=of_posts.posts,
                posts_with_images=of_posts.posts_with_images,
                images=of_posts.images,
                images_with_alt=of_posts.images_with_alt,
                likes=likes.get(day, 0),
                reposts=reposts.get(day, 0),
                follows=of_graph.follows,
                blocks=of_graph.blocks,
                post_actors=of_actors.post_actors,
                like_actors=of_actors.like_actors,
                repost_actors=of_actors.repost_actors,
                follow_actors=of_actors.follow_actors,
                block_actors=of_actors.block_actors,
                actors=of_actors.actors,
            )
        )
    return rows
