"""Distinct actors of every window of whole hours that ends now, from the sets of the hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOURS_MAX: Final = 90 * 24
KINDS: Final = ("post", "like", "repost", "follow", "block")

# From the newest hour back: each row has the actors of its hour and all hours after it. A set per hour and kind is at
# most 98 KB, so one kind at a time holds 90 days in 0.2 GB.
ACTORS_SINCE: Final = """
SELECT hour, uniqCombined64Merge(17)(actors) OVER
    (ORDER BY hour DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS counted
FROM
(
    SELECT hour, uniqCombined64MergeState(17)(actors) AS actors
    FROM daily_stats_actors
    WHERE kind IN {kinds:Array(String)}
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    GROUP BY hour
)
ORDER BY hour DESC
"""
HELD_SINCE: Final = "SELECT min(hour), count() FROM daily_stats_actors"


@dataclass(frozen=True, slots=True)
class _ActorsSince:
    hour: datetime
    counted: int


@dataclass(frozen=True, slots=True)
class _Held:
    hour: datetime
    sets: int


@dataclass(frozen=True, slots=True)
class Periods:
    """Actors of the last 1, 2, ... 2160 hours up to `until`, by kind of the record they created; `actors`: any kind.

    `held_since`: the oldest hour with events of the stream; None on an empty site.
    """

    until: datetime
    held_since: datetime | None
    actors: list[int]
    of_kind: dict[str, list[int]]


def held_since() -> datetime | None:
    """The oldest hour of which the stream's events are counted; None on an empty site."""
    (held,) = door.query(HELD_SINCE, into=_Held, name="stats.held_since", limits=TASK)
    return held.hour if held.sets else None


def periods(*, now: datetime) -> Periods:
    """Count every window: takes seconds on a large site. The running hour is in all of them.

    Raises ClickHouseError.
    """
    until = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return Periods(
        until=until,
        held_since=held_since(),
        actors=list(_windows((*KINDS, "other"), until)),
        of_kind={kind: list(_windows((kind,), until)) for kind in KINDS},
    )


def _windows(kinds: Sequence[str], until: datetime) -> Iterator[int]:
    """The distinct actors of the last 1, 2, ... hours; an hour without a row adds nobody."""
    parameters = {"kinds": list(kinds), "since": until - timedelta(hours=HOURS_MAX), "until": until}
    rows = door.query(ACTORS_SINCE, parameters, into=_ActorsSince, name="stats.actors_since", limits=TASK)
    counted = {row.hour: row.counted for row in rows}
    actors = 0
    for hours in range(1, HOURS_MAX + 1):
        actors = counted.get(until - timedelta(hours=hours), actors)
        yield actors
