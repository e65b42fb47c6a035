"""Usage of API keys by hour (atsite.core.usage_counts). Calls are not counted while Redis is down."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from apikeys import queries
from apikeys.queries import KeyUsageCount
from atsite.core.kv import quick
from atsite.core.usage_counts import HOUR, Counts, newest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Hours that the worker may be down without losing a count.
KEPT_HOURS: Final = 48
COUNTS: Final = Counts("apikeys:usage", period=HOUR, written=KEPT_HOURS, kept_seconds=KEPT_HOURS * 3600)
#: Numbers of a key: its accepted calls, and the last of them in unix milliseconds.
USES: Final = "n"
LAST: Final = "t"


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """Accepted calls of one key by hour (UTC), the oldest first, and the last of them."""

    hours: dict[datetime, int] = field(default_factory=dict)
    last_used_at: datetime | None = None

    @property
    def uses(self) -> int:
        return sum(self.hours.values())

    def by_day(self, now: datetime, days: int) -> list[tuple[date, int]]:
        """Each of the last `days` days, today included."""
        today = now.astimezone(UTC).date()
        period = [today - timedelta(days=back) for back in reversed(range(days))]
        sums = dict.fromkeys(period, 0)
        for hour, uses in self.hours.items():
            if hour.date() in sums:
                sums[hour.date()] += uses
        return list(sums.items())


def count(key_id: str, *, now: datetime) -> None:
    """Count one accepted call."""
    last = int(now.timestamp() * 1000)
    try:
        quick.ask(lambda client: COUNTS.add(client, now, {(USES, key_id): 1}, {(LAST, key_id): last}))
    except quick.RedisAway:
        return


def flush(*, now: datetime) -> int:
    """Write the counts of the kept hours to ClickHouse; returns how many rows. Raises RedisAway, ClickHouseError."""
    return queries.store_usage(_counted(now))


def of_keys(key_ids: Sequence[str], *, days: int, now: datetime) -> dict[str, KeyUsage]:
    """Key -> its usage in the last `days` days, including the newest counts in Redis. Raises ClickHouseError."""
    rows = queries.counted(key_ids, since=now - timedelta(days=days))
    with suppress(quick.RedisAway):
        rows += [use for use in _counted(now) if use.key_id in key_ids]
    uses = newest(rows, place=lambda use: (use.key_id, use.hour, use.counter), size=lambda use: use.uses)
    return {key_id: _key_use([use for use in uses if use.key_id == key_id]) for key_id in key_ids}


def _counted(now: datetime) -> list[KeyUsageCount]:
    """The counts in Redis. Raises RedisAway."""
    return [
        KeyUsageCount(
            of.subject, of.start, of.counter, of.numbers[USES], datetime.fromtimestamp(of.numbers[LAST] / 1000, UTC)
        )
        for of in COUNTS.readings(now=now)
    ]


def _key_use(uses: Iterable[KeyUsageCount]) -> KeyUsage:
    hours: Counter[datetime] = Counter()
    for use in uses:
        hours[use.hour.astimezone(UTC)] += use.uses
    return KeyUsage(dict(sorted(hours.items())), max((use.last_used_at.astimezone(UTC) for use in uses), default=None))
