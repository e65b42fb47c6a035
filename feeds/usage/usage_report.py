"""The usage of one feed by day, from ClickHouse and from the counts in Redis that are not written yet."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from atsite.core.kv.quick import RedisAway
from atsite.core.usage_counts import newest
from feeds.usage import counting, queries
from feeds.usage.interactions import KNOWN
from feeds.usage.queries import DailyUsage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.usage.counting import FeedUsageCount

#: Days of the charts: as long as different readers can be counted (counting.KEPT_DAYS).
DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class FeedUsageReport:
    """The last DAYS days, the oldest first. `readers`: of all these days together; None if Redis is down."""

    days: tuple[DailyUsage, ...]
    readers: int | None
    #: Interactions reported by readers' apps: event and count, the most frequent first.
    events: tuple[tuple[str, int], ...]


def for_feed(rkey: str, *, now: datetime) -> FeedUsageReport:
    """The usage of the feed with this rkey. Raises ClickHouseError."""
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=DAYS - 1)
    rows = queries.counted(rkey, since=first)
    readers: int | None = None
    with suppress(RedisAway):
        rows += [row for row in counting.counted(now=now) if row.feed == rkey]
        readers = counting.different_readers([rkey], DAYS, now=now)[rkey]
    by_day = _by_day(rows)
    days = tuple(
        by_day.get(day, DailyUsage(rkey, day)) for day in (first + timedelta(days=ahead) for ahead in range(DAYS))
    )
    events = queries.events(rkey, since=now - timedelta(days=DAYS))
    return FeedUsageReport(
        days, readers, tuple((KNOWN.get(row.event, row.event or "other"), row.count) for row in events)
    )


def _by_day(rows: Iterable[FeedUsageCount]) -> dict[date, DailyUsage]:
    """Add up the counters of each day; of one counter, the larger reading is the later one (sql/feed_usage.sql)."""
    days: dict[date, DailyUsage] = {}
    for row in newest(rows, place=lambda row: (row.day, row.counter), size=lambda row: row.requests + row.interactions):
        before = days.get(row.day, DailyUsage(row.feed, row.day))
        days[row.day] = DailyUsage(
            row.feed,
            row.day,
            before.requests + row.requests,
            max(before.readers, row.readers),
            before.interactions + row.interactions,
            max(before.senders, row.senders),
        )
    return days
