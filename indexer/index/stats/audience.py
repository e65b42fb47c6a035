"""Percentiles of follower counts, and accounts by the day of their first post. Both read whole tables: once a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK
from indexer.index.stats.days import first_tid
from indexer.index.stats.periods import held_since

#: A site that is younger calls nearly everybody a first-time poster.
COVERED: Final = timedelta(days=30)
PERCENTS: Final = (10, 25, 50, 75, 90, 95, 99)

# An account that follows another with two records is one follower. Groups too large for memory are sorted on disk.
FOLLOWERS: Final = """
SELECT count(), quantilesExact(0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)(followers), max(followers)
FROM
(
    SELECT subject_did, count() AS followers
    FROM (SELECT subject_did, did FROM follows FINAL WHERE deleted = 0 AND subject_did != '' GROUP BY subject_did, did)
    GROUP BY subject_did
)
SETTINGS max_bytes_before_external_group_by = 400000000
"""
# By live posts with a plausible time, back-filled ones among them: a back-fill shows who posted earlier.
FIRST_POSTS: Final = """
SELECT toDate(fromUnixTimestamp64Micro(toInt64(atsiteTidToMicros(first)), 'UTC')) AS day, count() AS accounts
FROM (SELECT did, min(rkey) AS first FROM posts FINAL WHERE deleted = 0 AND eligible GROUP BY did)
WHERE first >= {low:String}
GROUP BY day ORDER BY day
SETTINGS max_bytes_before_external_group_by = 400000000
"""


@dataclass(frozen=True, slots=True)
class Followers:
    """Of accounts with at least one live follow held here; `percentiles` are those of PERCENTS."""

    accounts: int
    percentiles: list[int]
    most: int


@dataclass(frozen=True, slots=True)
class FirstPosts:
    """Accounts whose first live post in this index is of this day."""

    day: date
    accounts: int


@dataclass(frozen=True, slots=True)
class Audience:
    """`first_posts` is None, and `first_posts_from` too, while the index covers less than 30 days."""

    followers: Followers
    first_posts: list[FirstPosts] | None
    first_posts_from: date | None


def audience(*, now: datetime) -> Audience:
    """Count both: takes seconds to minutes on a large site. Raises ClickHouseError."""
    (followers,) = door.query(FOLLOWERS, into=Followers, name="stats.followers", limits=TASK)
    held = held_since()
    if held is None or now - held < COVERED:
        return Audience(followers, None, None)
    # The first whole day that has 30 covered days before it.
    since = (held + COVERED + timedelta(days=1) - timedelta(microseconds=1)).date()
    return Audience(followers, _first_posts(since), since)


def _first_posts(since: date) -> list[FirstPosts]:
    return door.query(FIRST_POSTS, {"low": first_tid(since)}, into=FirstPosts, name="stats.first_posts", limits=TASK)
