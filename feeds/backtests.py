"""How many posts a day a feed gives: counted over the last two weeks, one day at a time, by a job in the background.

A row of feeds.models.Backtest is the job, one for each feed. Each day that was counted is stored, so that after a kill
the next run continues with the day after it. The counts of the last complete run stay until the next one is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import ClickHouseError, MemoryLimit, QueryTimedOut
from atsite.core.clickhouse.limits import Limits
from atsite.core.clock import us_of
from atsite.core.config import config
from atsite.core.jobs import moves, runner
from feeds.definition_from_row import definition_of
from feeds.kinds import make_feed
from feeds.kinds.kind import MadeOfAQuery
from feeds.models import Backtest
from feeds.ranking.feed import FeedUnavailable, InvalidDefinition
from feeds.ranking.page_data import FeedData

if TYPE_CHECKING:
    from atsite.core.jobs.lease import JobLease
    from feeds.models import FeedDefinition

log = structlog.get_logger(__name__)

DAYS: Final = 14
#: The task begins no other backtest after this; the next run, a minute later, continues.
BUDGET: Final = timedelta(seconds=50)
#: What the count of one day may take: nobody waits for it, but readers share the machine.
LIMITS: Final = Limits(max_execution_time=30, max_memory_usage=1_000_000_000, max_threads=1, readonly=True)

INDEXED_BETWEEN = "SELECT count() FROM posts WHERE rkey >= {low:String} AND rkey < {high:String} AND eligible"


@dataclass(frozen=True, slots=True)
class Day:
    """A day (UTC): how many posts the feed gives, and how many there are in the index, deleted ones included."""

    day: date
    posts: int
    indexed: int


def days_of(counted: Any) -> list[Day]:
    """The days in a stored result, oldest first."""
    return [Day(date.fromisoformat(day), posts, indexed) for day, posts, indexed in counted]


def ask(feed: FeedDefinition) -> bool:
    """Have the feed counted, from the beginning; False if that is being done already."""
    now = timezone.now()
    values = {**moves.beginning(Backtest, now), "progress": [], "parameters": feed.parameters, "requested_at": now}
    try:
        with transaction.atomic():
            row, created = Backtest.objects.select_for_update().get_or_create(feed=feed, defaults=values)
            if not created:
                if row.is_active:
                    return False
                moves.begin_again(Backtest.objects.filter(pk=row.pk), values)
    except IntegrityError:  # asked for twice at once
        return False
    return True


def run_due(*, budget: timedelta = BUDGET) -> int:
    """Run due backtests one after the other until none is left or the budget is spent; returns how many."""
    return runner.run_due(Backtest, _run, budget=budget)


def _run(lease: JobLease[Backtest]) -> None:
    """Raises LeaseLost."""
    failed = Backtest.State.FAILED
    try:
        _count(lease)
    except (FeedUnavailable, InvalidDefinition) as error:
        lease.move(failed, reason=str(error)[:300])
    except QueryTimedOut:
        lease.move(failed, reason=f"counting {_next_day(lease.job)} took longer than {LIMITS.max_execution_time} s")
    except MemoryLimit:
        lease.move(failed, reason=f"counting {_next_day(lease.job)} took more memory than a backtest may use")
    except ClickHouseError as error:
        lease.later(f"ClickHouse does not answer: {type(error).__name__}")


def _count(lease: JobLease[Backtest]) -> None:
    job = lease.job
    row = job.feed
    row.parameters = job.parameters  # those of the request: the feed may have been changed since
    definition = definition_of(row, config)
    feed = make_feed(definition, FeedData())
    if not isinstance(feed, MadeOfAQuery):
        raise InvalidDefinition("the feed is no longer made of a query")
    while (day := _next_day(job)) is not None:
        since, until = _micros(day), min(_micros(day + timedelta(days=1)), us_of(job.requested_at))
        counted = [day.isoformat(), feed.count(since, until, limits=LIMITS), _indexed(since, until)]
        lease.keep_progress(progress=[*job.progress, counted])
    lease.move(Backtest.State.DONE, result=job.progress, counted_at=timezone.now(), counted_for=job.parameters)


def _next_day(job: Backtest) -> date | None:
    """The oldest day that was not counted; None if all were."""
    last = job.requested_at.astimezone(UTC).date()
    day = last - timedelta(days=DAYS - 1 - len(job.progress))
    return day if day <= last else None


def _indexed(since: int, until: int) -> int:
    params = {"low": tid_of_micros(since), "high": tid_of_micros(until)}
    return int(door.scalar(INDEXED_BETWEEN, params, name="feeds.indexed_between", limits=LIMITS))


def _micros(day: date) -> int:
    return us_of(datetime.combine(day, time(), UTC))
