"""The data of /stats: totals from the cache, days from the table daily_stats."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from indexer.index import stats
from search.stats.totals import TotalsCache

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from indexer.index.stats import Day

#: The totals of this process; `search.tasks.refresh_stats` fills what all processes read.
TOTALS: Final = TotalsCache(stats.totals)


def daily(days: int, *, now: datetime) -> Sequence[Day]:
    """The last `days` days up to today (UTC), oldest first; days that are not computed yet are left out."""
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    return stats.daily(tomorrow - timedelta(days=days), tomorrow)
