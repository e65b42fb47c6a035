"""ClickHouse queries about the usage of feeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK
from feeds.usage.counting import FeedUsageCount

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime


def store_usage(rows: Sequence[FeedUsageCount]) -> int:
    """Write counts; writing the same counts again changes nothing. Raises ClickHouseError."""
    counted = [row.requests + row.interactions for row in rows]
    columns = door.columns_of(FeedUsageCount, rows) | {"counted": counted}
    return door.insert("feed_usage", columns, name="feeds.store_usage")


# FINAL: a count replaces the smaller ones of the same counter. For sum and max see feeds/sql/feed_usage.sql.
DAILY_USAGE = """
SELECT feed, day, sum(requests), max(readers), sum(interactions), max(senders)
FROM feed_usage FINAL
WHERE day >= {since:Date}
GROUP BY feed, day
ORDER BY feed, day
"""


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """The usage of one feed on one day (UTC).

    Requests are pages that were read; readers and senders are estimates of different logged-in viewers.
    """

    feed: str
    day: date
    requests: int = 0
    readers: int = 0
    interactions: int = 0
    senders: int = 0


def daily_usage(*, since: date) -> list[DailyUsage]:
    """Every feed and day with requests from `since` on, as far as written, by feed, the oldest day first."""
    return door.query(DAILY_USAGE, {"since": since}, into=DailyUsage, name="feeds.daily_usage")


# FINAL as above; each counter separately, to be combined with its value in Redis.
COUNTED = """
SELECT feed, day, counter, requests, readers, interactions, senders FROM feed_usage FINAL
WHERE feed = {feed:String} AND day >= {since:Date}
"""


def counted(feed: str, *, since: date) -> list[FeedUsageCount]:
    """The written counts of one feed from `since` on."""
    return door.query(COUNTED, {"feed": feed, "since": since}, into=FeedUsageCount, name="feeds.counted_usage")


EVENTS = """
SELECT event, count() FROM feed_interactions FINAL
WHERE feed = {feed:String} AND received_at >= {since:DateTime64(6)}
GROUP BY event ORDER BY count() DESC, event LIMIT 20
"""


@dataclass(frozen=True, slots=True)
class EventCount:
    """How often an event was reported."""

    event: str
    count: int


def events(feed: str, *, since: datetime) -> list[EventCount]:
    """The most frequent events of one feed since then."""
    return door.query(EVENTS, {"feed": feed, "since": since}, into=EventCount, name="feeds.events")


SENT_BY = "SELECT count() FROM feed_interactions FINAL WHERE sender = {sender:String}"
REMOVE_SENT_BY = "DELETE FROM feed_interactions WHERE sender = {sender:String}"


def remove_interactions(sender: str) -> int:
    """Delete the interactions of the reader with this pseudonym; returns how many. Raises ClickHouseError."""
    count = int(door.scalar(SENT_BY, {"sender": sender}, name="feeds.sent_by", limits=TASK))
    if count:
        door.execute(REMOVE_SENT_BY, {"sender": sender}, name="feeds.remove_sent_by", limits=TASK)
    return count
