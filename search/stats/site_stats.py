"""The data of /stats: what the cache holds, and days from the table daily_stats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from atsite.core.ttl_cache import TtlCache
from atsite.core.web.store_timeouts import StoreAway, StoreGuard
from indexer.index import stats
from indexer.index.stats.audience import Audience, audience
from indexer.index.stats.periods import Periods, periods
from search.stats.cached import CACHE_SECONDS, Cached

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.stats import Day

#: The totals of this process; `search.tasks.refresh_stats` fills what all processes read.
TOTALS: Final = Cached("totals", stats.totals, TypeAdapter(stats.Totals))
#: Actors of every window; one entry of 70 KB answers all of them.
PERIODS: Final = Cached("periods", lambda: periods(now=datetime.now(UTC)), TypeAdapter(Periods))
#: Counted once a day, and kept for a second one.
AUDIENCE_EVERY: Final = timedelta(days=1)
AUDIENCE: Final = Cached(
    "followers and first posts",
    lambda: audience(now=datetime.now(UTC)),
    TypeAdapter(Audience),
    seconds=2 * 86_400,
)


def refresh() -> None:
    """Count again what is due. Raises what counting raises, and CACHE_AWAY."""
    TOTALS.refresh()
    PERIODS.refresh()
    AUDIENCE.refresh(older_than=AUDIENCE_EVERY)


#: The days are a small table, read in milliseconds.
_CLICKHOUSE: Final = StoreGuard("ClickHouse", seconds=3, pause=1)
#: The newest answer by its number of days, for while ClickHouse does not answer; as old as totals may be.
_remembered: Final = TtlCache[int, "Sequence[Day]"](size=32, seconds=CACHE_SECONDS)


def daily(days: int, *, now: datetime) -> Sequence[Day]:
    """The last `days` days up to today (UTC), oldest first; days that are not computed yet are left out.

    While ClickHouse does not answer, what was read before. Raises StoreAway within seconds, if that is nothing.
    """
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    try:
        found = _CLICKHOUSE.call(lambda: stats.daily(tomorrow - timedelta(days=days), tomorrow))
    except StoreAway:
        if (remembered := _remembered.peek(days)) is None:
            raise
        return remembered
    _remembered.put(days, found)
    return found
