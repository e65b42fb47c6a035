"""What the fill asks ClickHouse and writes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from atsite.core.atproto.syntax import Did
    from indexer.fill.profiles import Profile

DAY_US = 24 * 3600 * 1_000_000

# FINAL: the last asking counts.
FRESH = "SELECT did FROM actor_fills FINAL WHERE did IN {dids:Array(String)} AND due_us > {now:UInt64}"


def fresh(dids: Collection[Did], *, now: int) -> set[Did]:
    """Those of `dids` who need not be asked for at `now` (unix microseconds)."""
    return set(door.column(FRESH, {"dids": sorted(dids), "now": now}, name="indexer.fill_fresh", limits=TASK))


# No FINAL on posts: a post that was deleted since still has an author. A day of the whole network has 700,000 posters,
# most of them fresh, so those are left out here.
RECENT_POSTERS = """
SELECT did
FROM posts
WHERE rkey >= {since:String} AND rkey <= {until:String} AND deleted = 0
AND did NOT IN (SELECT did FROM actor_fills FINAL WHERE due_us > {now:UInt64})
GROUP BY did
ORDER BY max(rkey) DESC
LIMIT {limit:UInt32}
"""


def recent_posters(*, now: int, limit: int) -> list[Did]:
    """Who posted within the 24 hours before `now` (unix microseconds) and is due, the latest poster first."""
    since, until = tid_of_micros(now - DAY_US), tid_of_micros(now)
    params = {"since": since, "until": until, "now": now, "limit": limit}
    return door.column(RECENT_POSTERS, params, name="indexer.recent_posters", limits=TASK)


def store(told: Mapping[Did, Profile | None], *, source: str, due_us: Mapping[Did, int], now: int) -> None:
    """Write what `source` said at `now` (unix microseconds); None for those who are known to nobody."""
    profiles = [(did, profile) for did, profile in told.items()]
    columns: dict[str, list[object]] = {
        "did": [did for did, _ in profiles],
        "handle": [profile.handle if profile else "" for _, profile in profiles],
        "display_name": [profile.display_name if profile else "" for _, profile in profiles],
        "source": [source] * len(profiles),
        "due_us": [due_us[did] for did, _ in profiles],
        "version": [now] * len(profiles),
    }
    # Counts first: a row of actor_fills says that all is done.
    _store_counts([profile for _, profile in profiles if profile is not None], source, now)
    door.insert("actor_fills", columns, name="indexer.actor_fills")


def _store_counts(profiles: Collection[Profile], source: str, now: int) -> None:
    counted = [(profile.did, profile.counts) for profile in profiles if profile.counts is not None]
    columns: dict[str, list[object]] = {
        "did": [did for did, _ in counted],
        "followers": [counts.followers for _, counts in counted],
        "follows": [counts.follows for _, counts in counted],
        "posts": [counts.posts for _, counts in counted],
        "source": [source] * len(counted),
        "version": [now] * len(counted),
    }
    door.insert("actor_counts", columns, name="indexer.actor_counts")
