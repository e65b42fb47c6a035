"""Backtests: how many posts a day a feed would have given, as a job that survives its worker and its limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from atsite.core.clickhouse.errors import MemoryLimit, QueryTimedOut, Unreachable
from atsite.core.clickhouse.limits import Limits
from atsite.core.clock import us_of
from atsite.core.jobs import lease as leases
from feeds import backtests
from feeds.kinds.search_feed import SearchFeed
from feeds.models import Backtest, FeedDefinition
from tests import builders as b
from tests.feeds import administration
from tests.feeds.worlds import actor
from tests.rows import store

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])
State = Backtest.State
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _site(clickhouse: None, valkey: redis.Redis, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    administration.begin(monkeypatch)


def feed(query: str = "apples", **parameters: Any) -> FeedDefinition:
    row = FeedDefinition(rkey="found", kind="search", display_name="Found", parameters={"query": query, **parameters})
    row.full_clean()
    row.save()
    return row


def noon(days_ago: int) -> int:
    """Noon of a day that is over, in unix microseconds."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return us_of(today - days_ago * DAY + timedelta(hours=12))


def network() -> None:
    """As many posts with apples as days ago, for up to nine days, and one without each day."""
    for days in range(1, 10):
        at = noon(days)
        rows = [b.post(actor(n), at=at + n, text="apples") for n in range(days)]
        other, gone = b.post(actor(50), at=at, text="pears"), b.post(actor(51), at=at, text="apples")
        reply = b.post(actor(52), at=at, text="apples", reply_to=other)
        store(*rows, other, gone, reply, b.delete(gone, at=at + 9))
        store(*(b.like(actor(100 + n), rows[0], at=at + 10) for n in range(3)))


def done(row: FeedDefinition) -> Backtest:
    return Backtest.objects.get(feed=row)


def posts_by_age(job: Backtest) -> dict[int, int]:
    today = job.requested_at.astimezone(UTC).date()
    return {(today - day.day).days: day.posts for day in backtests.days_of(job.result) if day.posts}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, {days: days for days in range(1, 10)}),
        ({"query": "has:media OR is:root", "blocked_words": ["pears"]}, {days: days for days in range(1, 10)}),
        ({"order": "top", "min_likes": 3}, dict.fromkeys(range(1, 10), 1)),
        ({"order": "hot", "min_likes": 4}, {}),
        ({"replies": True}, {days: days + 1 for days in range(1, 10)}),
    ],
    ids=["newest", "without an index", "top", "hot", "replies"],
)
def test_each_of_fourteen_days_is_counted(parameters: dict[str, Any], expected: dict[int, int]) -> None:
    network()
    row = feed(**{"query": "apples", **parameters})
    assert backtests.ask(row)
    assert backtests.run_due() == 1
    job = done(row)
    assert (job.state, job.reason, job.counted_for) == (State.DONE, "", row.parameters)
    days = backtests.days_of(job.result)
    assert [day.day for day in days] == [job.requested_at.date() - (13 - n) * DAY for n in range(14)]
    assert posts_by_age(job) == expected
    assert [day.indexed > 0 for day in days] == [4 <= n < 13 for n in range(14)]


def test_there_is_never_more_than_one_of_a_feed() -> None:
    row = feed()
    assert backtests.ask(row)
    assert not backtests.ask(row)
    (lease,) = [leases.claim_next(Backtest)]
    assert lease is not None
    assert not backtests.ask(row)
    lease.release(next_at=timezone.now())
    backtests.run_due()
    assert done(row).state == State.DONE
    assert backtests.ask(row)
    assert (done(row).state, Backtest.objects.count()) == (State.QUEUED, 1)


def test_after_a_kill_the_next_worker_goes_on_with_the_next_day(monkeypatch: pytest.MonkeyPatch) -> None:
    network()
    row = feed()
    backtests.ask(row)
    counted: list[datetime] = []
    real = SearchFeed.count

    def until_the_sixth(self: SearchFeed, since: int, until: int, *, limits: Limits) -> int:
        counted.append(datetime.fromtimestamp(since / 1e6, UTC))
        if len(counted) == 6:
            raise SystemExit  # the worker is killed: nothing ends its lease
        return real(self, since, until, limits=limits)

    monkeypatch.setattr(SearchFeed, "count", until_the_sixth)
    lease = leases.claim_next(Backtest)
    assert lease is not None
    with pytest.raises(SystemExit):
        backtests._run(lease)
    assert (done(row).state, len(done(row).progress)) == (State.RUNNING, 5)
    assert backtests.run_due() == 0  # it is still the other worker's
    Backtest.objects.update(leased_until=timezone.now())
    assert backtests.run_due() == 1
    assert len(counted) == 6 + 9  # five days were kept
    assert posts_by_age(done(row)) == {days: days for days in range(1, 10)}


@pytest.mark.parametrize(
    ("error", "reason"),
    [(QueryTimedOut, "took longer than 30 s"), (MemoryLimit, "took more memory than a backtest may use")],
)
def test_a_day_beyond_the_limits_ends_it_and_the_numbers_of_before_stay(
    error: type[Exception], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network()
    row = feed()
    backtests.ask(row)
    backtests.run_due()
    before = done(row).result
    row.parameters = {"query": "pears"}
    row.save()
    backtests.ask(row)

    def too_much(*_: object, **__: object) -> int:
        raise error("too much", code=0, name="feeds.search_count")  # type: ignore[call-arg]

    monkeypatch.setattr(SearchFeed, "count", too_much)
    backtests.run_due()
    job = done(row)
    first = job.requested_at.date() - 13 * DAY
    assert (job.state, job.reason) == (State.FAILED, f"counting {first} {reason}")
    assert (job.result, job.counted_for) == (before, {"query": "apples"})


def test_the_limits_are_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that takes too much memory is stopped by ClickHouse itself."""
    store(*(b.post(actor(n), at=noon(13) + n, text=f"apples {n} " + "x" * 2000) for n in range(300)))
    row = feed("has:link OR apples")
    backtests.ask(row)
    limits = Limits(max_execution_time=30, max_memory_usage=1_000, readonly=True)
    monkeypatch.setattr("feeds.backtests.LIMITS", limits)
    backtests.run_due()
    assert (done(row).state, done(row).reason.partition(" took ")[2]) == (
        State.FAILED,
        "more memory than a backtest may use",
    )


def test_a_store_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    row = feed()
    backtests.ask(row)

    def away(*_: object, **__: object) -> int:
        raise Unreachable("away", code=0, name="feeds.search_count")

    with monkeypatch.context() as patch:
        patch.setattr(SearchFeed, "count", away)
        backtests.run_due()
    assert (done(row).state, done(row).reason) == (State.WAITING, "ClickHouse does not answer: Unreachable")
    Backtest.objects.update(next_at=timezone.now())
    backtests.run_due()
    assert done(row).state == State.DONE


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "hot", "parameters": {}}, "the feed is no longer made of a query"),
        ({"parameters": {"query": "from:nobody.example.com apples"}}, "the query of this feed cannot be asked now"),
    ],
)
def test_a_feed_that_cannot_be_counted_says_why(change: dict[str, Any], reason: str) -> None:
    row = feed()
    FeedDefinition.objects.filter(pk=row.pk).update(**change)
    row.refresh_from_db()
    backtests.ask(row)
    backtests.run_due()
    assert done(row).state == State.FAILED
    assert done(row).reason.startswith(reason)
