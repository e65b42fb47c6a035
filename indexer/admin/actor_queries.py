"""ClickHouse queries for lists of actors and their posts. Their cost does not grow with the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from indexer.index.handles import LIMITS, having_handle

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

#: The most posts of one author that a search shows.
POSTS_SHOWN: Final = 1_000

KEYS_OF_POSTS = """
SELECT rkey
FROM posts_by_actor FINAL
WHERE did = {did:String} AND deleted = 0
ORDER BY did DESC, rkey DESC
LIMIT {limit:UInt32}
"""


def keys_of_posts(did: str) -> list[str]:
    """The rkeys of an author's newest POSTS_SHOWN posts, newest first. Raises ClickHouseError."""
    return door.column(KEYS_OF_POSTS, {"did": did, "limit": POSTS_SHOWN}, name="indexer.keys_of_posts", limits=LIMITS)


#: With these a read in key order ends early. FINAL makes one row of each did and ends early as well, LIMIT 1 BY
#: did does not. Read of 4 million rows for 51 dids: 2.9 million with LIMIT BY, 0.1 with FINAL, 0.04 with one thread.
ENDS_EARLY: Final = "SETTINGS max_block_size = 1024, max_threads = 1"

# The view of actors joins five tables by did, so it cannot be read from its end. Each table can, and the last dids
# of all are among the last dids of each.
LAST_DIDS = " UNION DISTINCT ".join(
    f"(SELECT did FROM {table} FINAL WHERE did >= {{low:String}} AND did < {{high:String}}"  # noqa: S608  these tables
    " ORDER BY did DESC LIMIT {limit:UInt32})"
    for table in ("actor_identities", "actor_accounts", "actor_profiles", "actor_fills")
)
LAST_OF_ALL = f"SELECT did FROM ({LAST_DIDS}) ORDER BY did DESC LIMIT {{limit:UInt32}} {ENDS_EARLY}"  # noqa: S608


def last_dids(*, low: str, high: str, limit: int) -> list[str]:
    """The last `limit` known dids from `low` on and below `high`, descending. Raises ClickHouseError."""
    params = {"low": low, "high": high, "limit": limit}
    return door.column(LAST_OF_ALL, params, name="indexer.last_dids", limits=LIMITS)


#: The most actors that a search by handle shows, as each is looked up in five tables. A longer prefix finds the rest.
HANDLES_SHOWN: Final = 100

# In key order. The result includes handles that were given up since.
DIDS_BY_HANDLE = f"""
SELECT did
FROM actor_handles FINAL
WHERE startsWith(handle, {{prefix:String}})
ORDER BY handle, did
LIMIT {{limit:UInt32}}
{ENDS_EARLY}
"""  # noqa: S608  the settings are those above


def dids_by_handle(prefix: str) -> list[str]:
    """Of the first HANDLES_SHOWN dids that had such a handle, those that still have it. Raises ClickHouseError."""
    params = {"prefix": prefix.lower(), "limit": HANDLES_SHOWN}
    dids = door.column(DIDS_BY_HANDLE, params, name="indexer.dids_by_handle", limits=LIMITS)
    return having_handle(dids, prefix.lower())


@dataclass(frozen=True, slots=True)
class Told:
    """An actor's counts as an AppView reported them; `version` is when, unix microseconds."""

    did: str
    followers: int
    follows: int
    posts: int
    source: str
    version: int


TOLD_COUNTS = """
SELECT did, followers, follows, posts, source, version FROM actor_counts FINAL WHERE did IN {dids:Array(String)}
"""


def told_counts(dids: Collection[str]) -> dict[str, Told]:
    """The counts from an AppView, by did. Raises ClickHouseError."""
    rows = door.query(TOLD_COUNTS, {"dids": sorted(dids)}, into=Told, name="indexer.told_counts", limits=LIMITS)
    return {row.did: row for row in rows}


@dataclass(frozen=True, slots=True)
class Seen:
    """An actor's counts from the stream, since this site began to read it."""

    did: str
    followers: int
    follows: int
    posts: int


# Of the followers' rows only those that no younger delete or update took back (see indexer/sql/tables/followers.sql).
SEEN_COUNTS = """
SELECT actor, sum(followers), sum(follows), sum(posts)
FROM
(
    SELECT subject_did AS actor, uniqExact(did) AS followers, 0 AS follows, 0 AS posts
    FROM followers
    LEFT ANY JOIN
    (
        SELECT rkey, did, version AS gone
        FROM retractions FINAL
        WHERE kind = 'follow'
        AND (rkey, did) IN (SELECT rkey, did FROM followers WHERE subject_did IN {dids:Array(String)})
    ) AS retracted USING (rkey, did)
    WHERE subject_did IN {dids:Array(String)} AND version >= gone
    GROUP BY subject_did
    UNION ALL
    SELECT did, 0, uniqExact(subject_did), 0
    FROM follows FINAL
    WHERE did IN {dids:Array(String)} AND deleted = 0
    GROUP BY did
    UNION ALL
    SELECT did, 0, 0, count()
    FROM posts_by_actor FINAL
    WHERE did IN {dids:Array(String)} AND deleted = 0
    GROUP BY did
)
GROUP BY actor
"""


def seen_counts(dids: Collection[str]) -> dict[str, Seen]:
    """The counts from the stream, by did; actors without events are left out. Raises ClickHouseError."""
    rows = door.query(SEEN_COUNTS, {"dids": sorted(dids)}, into=Seen, name="indexer.seen_counts", limits=LIMITS)
    return {row.did: row for row in rows}


FIRST_DAY = "SELECT min(day) FROM daily_stats HAVING count() > 0"


def first_day() -> date | None:
    """The first day with statistics on this site; None if there are none yet. Raises ClickHouseError."""
    days = door.column(FIRST_DAY, name="indexer.first_day", limits=LIMITS)
    return days[0] if days else None
