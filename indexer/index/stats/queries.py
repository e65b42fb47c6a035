"""The statements behind indexer.index.stats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """Live rows of each kind, and how many of them have an rkey without a day."""

    posts: int
    posts_without_day: int
    likes: int
    likes_without_day: int
    reposts: int
    reposts_without_day: int
    follows: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Day:
    """The numbers of one day. X_actors: distinct actors who created an X; actors: of any kind of record."""

    day: date
    posts: int
    posts_with_images: int
    images: int
    images_with_alt: int
    likes: int
    reposts: int
    follows: int
    blocks: int
    post_actors: int
    like_actors: int
    repost_actors: int
    follow_actors: int
    block_actors: int
    actors: int


@dataclass(frozen=True, slots=True)
class PostsOfDay:
    day: date
    posts: int
    posts_with_images: int
    images: int
    images_with_alt: int


@dataclass(frozen=True, slots=True)
class CountOfDay:
    day: date
    count: int


@dataclass(frozen=True, slots=True)
class GraphOfDay:
    day: date
    follows: int
    blocks: int


@dataclass(frozen=True, slots=True)
class ActorsOfDay:
    day: date
    post_actors: int
    like_actors: int
    repost_actors: int
    follow_actors: int
    block_actors: int
    actors: int


TOTALS = """
SELECT posts.live, posts.undated, likes.live, likes.undated, reposts.live, reposts.undated, follows.live, blocks.live
FROM (SELECT count() AS live, countIf(NOT eligible) AS undated FROM posts FINAL WHERE deleted = 0) AS posts
CROSS JOIN (SELECT count() AS live, countIf(NOT eligible) AS undated FROM likes FINAL WHERE deleted = 0) AS likes
CROSS JOIN (SELECT count() AS live, countIf(NOT eligible) AS undated FROM reposts FINAL WHERE deleted = 0) AS reposts
CROSS JOIN (SELECT count() AS live FROM follows FINAL WHERE deleted = 0) AS follows
CROSS JOIN (SELECT count() AS live FROM blocks FINAL WHERE deleted = 0) AS blocks
"""


def totals() -> Totals:
    """Counts all live rows: takes seconds on a large site, so call it in a task or cache it."""
    (row,) = door.query(TOTALS, into=Totals, name="stats.totals", limits=TASK)
    return row


DAILY = """
SELECT day, posts, posts_with_images, images, images_with_alt, likes, reposts, follows, blocks,
       post_actors, like_actors, repost_actors, follow_actors, block_actors, actors
FROM daily_stats FINAL
WHERE day >= {since:Date} AND day < {until:Date}
ORDER BY day
"""


def daily(since: date, until: date) -> list[Day]:
    """The stored days from `since` on, before `until`, oldest first; days that were not computed are left out."""
    return door.query(DAILY, {"since": since, "until": until}, into=Day, name="stats.daily")


# Two narrow columns of the raw events: what arrived, and of which day. Back-filled rows count in no day.
TOUCHED_DAYS = """
SELECT DISTINCT day
FROM repo_records
WHERE stored_at >= {since:DateTime64(6, 'UTC')} AND source = 'jetstream'
ORDER BY day
"""


def touched_days(*, since: datetime) -> list[date]:
    """The days of the revs that arrived since then."""
    return door.column(TOUCHED_DAYS, {"since": since}, name="stats.touched_days", limits=TASK)


POSTS_BY_DAY = """
SELECT day, posts, posts_with_images, images_total, images_with_alt_total
FROM daily_stats_posts(low = {low:String}, high = {high:String})
"""


def posts_by_day(low: str, high: str) -> list[PostsOfDay]:
    """Live, eligible posts of each day that has any, with keys from the TID `low` on, below the TID `high`."""
    return door.query(POSTS_BY_DAY, {"low": low, "high": high}, into=PostsOfDay, name="stats.posts_by_day", limits=TASK)


LIKES_BY_DAY = "SELECT day, likes FROM daily_stats_likes(low = {low:String}, high = {high:String})"


def likes_by_day(low: str, high: str) -> list[CountOfDay]:
    """Live likes of each day that has any, with keys from the TID `low` on, below the TID `high`."""
    return door.query(LIKES_BY_DAY, {"low": low, "high": high}, into=CountOfDay, name="stats.likes_by_day", limits=TASK)


REPOSTS_BY_DAY = "SELECT day, reposts FROM daily_stats_reposts(low = {low:String}, high = {high:String})"


def reposts_by_day(low: str, high: str) -> list[CountOfDay]:
    """Live reposts of each day that has any, with keys from the TID `low` on, below the TID `high`."""
    return door.query(
        REPOSTS_BY_DAY, {"low": low, "high": high}, into=CountOfDay, name="stats.reposts_by_day", limits=TASK
    )


GRAPH_BY_DAY = "SELECT day, follows, blocks FROM daily_stats_graph(low = {low:Date}, high = {high:Date})"


def graph_by_day(low: date, high: date) -> list[GraphOfDay]:
    """Follows and blocks created on each day from `low` on, before `high`, and not deleted since."""
    return door.query(GRAPH_BY_DAY, {"low": low, "high": high}, into=GraphOfDay, name="stats.graph_by_day", limits=TASK)


ACTORS_BY_DAY = """
SELECT day, post_actors, like_actors, repost_actors, follow_actors, block_actors, all_actors
FROM daily_stats_distinct_actors(low = {low:Date}, high = {high:Date})
"""


def actors_by_day(low: date, high: date) -> list[ActorsOfDay]:
    """Distinct actors of each day from `low` on, before `high`."""
    return door.query(
        ACTORS_BY_DAY, {"low": low, "high": high}, into=ActorsOfDay, name="stats.actors_by_day", limits=TASK
    )


def store_days(days: Sequence[Day], *, computed_at: datetime) -> None:
    """Store the days; the last computed row wins."""
    door.insert(
        "daily_stats", door.columns_of(Day, days) | {"computed_at": [computed_at] * len(days)}, name="stats.store_days"
    )
