"""The fill's ClickHouse queries and inserts."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from atsite.core.atproto.syntax import Did
    from indexer.fill.profiles import Profile

HOUR_US: Final = 3600 * 1_000_000
DAY_US: Final = 24 * HOUR_US
#: An answer counts as an hour older than it is (docs/decisions/0041-age-of-a-filled-name.md).
AGE_US: Final = HOUR_US
#: How long an answer is valid at most.
FOUND_US: Final = 3 * DAY_US
EMPTY: Final[Mapping[Did, int]] = MappingProxyType({})

# Fetched (FINAL: the last fetch counts), and no event has changed the identity since. A valid answer was fetched within
# FOUND_US, so it includes earlier events.
FRESH_FILLS = """
SELECT did
FROM (SELECT did, handle_us FROM actor_fills FINAL WHERE CONDITION AND due_us > {now:UInt64}) AS fills
LEFT ANY JOIN
(
    SELECT did, version AS changed_us FROM identity_changes FINAL WHERE CONDITION AND version >= {since:UInt64}
) AS changes USING (did)
WHERE handle_us >= changed_us
"""
FRESH = FRESH_FILLS.replace("CONDITION", "did IN {dids:Array(String)}")


def fresh(dids: Collection[Did], *, now: int) -> set[Did]:
    """Those of `dids` that need no fetch at `now` (unix microseconds)."""
    params = {"dids": sorted(dids), "now": now, "since": now - FOUND_US - AGE_US}
    return set(door.column(FRESH, params, name="indexer.fill_fresh", limits=TASK))


@dataclass(frozen=True, slots=True)
class _Change:
    did: Did
    version: int


CHANGES = "SELECT did, version FROM identity_changes FINAL WHERE did IN {dids:Array(String)}"


def changes_of(dids: Collection[Did]) -> dict[Did, int]:
    """When those of `dids` last changed their identity in an event without a handle (unix microseconds)."""
    rows = door.query(CHANGES, {"dids": sorted(dids)}, into=_Change, name="indexer.identity_changes", limits=TASK)
    return {row.did: row.version for row in rows}


# No FINAL on posts: a post that was deleted since still has an author. A day of the whole network has 700,000 posters,
# most of them fresh, so those are left out here.
RECENT_POSTERS = """
SELECT did
FROM posts
WHERE rkey >= {from_rkey:String} AND rkey <= {until_rkey:String} AND deleted = 0
AND did NOT IN (FRESH)
GROUP BY did
ORDER BY max(rkey) DESC
LIMIT {limit:UInt32}
""".replace("FRESH", FRESH_FILLS.replace("CONDITION", "1"))


def recent_posters(*, now: int, limit: int) -> list[Did]:
    """The dids that posted within the 24 hours before `now` (unix microseconds) and are due, the latest first."""
    params = {
        "from_rkey": tid_of_micros(now - DAY_US),
        "until_rkey": tid_of_micros(now),
        "now": now,
        "since": now - FOUND_US - AGE_US,
        "limit": limit,
    }
    return door.column(RECENT_POSTERS, params, name="indexer.recent_posters", limits=TASK)


def store(
    told: Mapping[Did, Profile | None],
    *,
    source: str,
    due_us: Mapping[Did, int],
    changed_us: Mapping[Did, int] = EMPTY,
    now: int,
) -> None:
    """Write the profiles from `source` at `now` (unix microseconds); None for accounts that do not exist.

    `changed_us`: the result of `changes_of` before the request. An answer after such an event is as new as the event.
    """
    profiles = [(did, profile) for did, profile in told.items()]
    columns: dict[str, list[object]] = {
        "did": [did for did, _ in profiles],
        "handle": [profile.handle if profile else "" for _, profile in profiles],
        "display_name": [profile.display_name if profile else "" for _, profile in profiles],
        "source": [source] * len(profiles),
        "due_us": [due_us[did] for did, _ in profiles],
        "handle_us": [max(now - AGE_US, changed_us.get(did, 0)) for did, _ in profiles],
        "version": [now] * len(profiles),
    }
    # Counts first: a row of actor_fills marks the fill as complete.
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
