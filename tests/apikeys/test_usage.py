"""Uses are counted in Redis and survive there being written twice, late, or after Redis was lost."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from apikeys import queries, tasks, usage
from apikeys.check import check
from apikeys.usage import KeyUsage
from tests.away import redis_away

if TYPE_CHECKING:
    import redis

    from apikeys.keys import Key

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
ELEVEN = TEN + timedelta(hours=1)


def count(*moments: datetime, key_id: str = "a") -> None:
    for moment in moments:
        usage.count(key_id, now=moment)


def uses(key_id: str = "a") -> dict[datetime, int]:
    """What was written, by hour."""
    hours: dict[datetime, int] = {}
    for use in queries.counted([key_id], since=TEN - timedelta(days=1)):
        hours[use.hour.astimezone(UTC)] = hours.get(use.hour.astimezone(UTC), 0) + use.uses
    return hours


def test_uses_are_written_by_hour_and_writing_twice_changes_nothing(stores: None) -> None:
    count(TEN, TEN + timedelta(minutes=59), ELEVEN)
    count(TEN, key_id="b")
    assert usage.flush(now=ELEVEN) == 3
    assert usage.flush(now=ELEVEN) == 3
    assert uses() == {TEN: 2, ELEVEN: 1}
    assert uses("b") == {TEN: 1}
    count(ELEVEN)
    usage.flush(now=ELEVEN)
    assert uses() == {TEN: 2, ELEVEN: 2}


def test_hours_that_nobody_wrote_are_written_later(stores: None) -> None:
    count(TEN)
    assert usage.flush(now=TEN + timedelta(hours=47)) == 1
    assert uses() == {TEN: 1}


def test_counts_of_before_and_after_redis_was_lost_are_added(stores: None, valkey: redis.Redis) -> None:
    count(TEN, TEN, TEN)
    usage.flush(now=TEN)
    valkey.flushdb()
    count(TEN)
    usage.flush(now=TEN)
    assert uses() == {TEN: 4}


def test_accepted_calls_are_counted_and_the_task_writes_them(reader_key: Key) -> None:
    now = timezone.now()
    for _ in range(3):
        check(reader_key.text)
    tasks.flush_usage()
    assert sum(row.uses for row in queries.counted([reader_key.id], since=now - timedelta(hours=1))) == 3
    last = usage.of_keys([reader_key.id], days=1, now=timezone.now())[reader_key.id].last_used_at
    assert last is not None
    assert last >= now - timedelta(milliseconds=1)


def test_use_by_hour_joins_what_was_written_with_what_redis_counted_since(stores: None, valkey: redis.Redis) -> None:
    count(TEN, TEN, ELEVEN)
    count(TEN, key_id="b")
    usage.flush(now=ELEVEN)
    valkey.flushdb()  # another counter begins
    count(ELEVEN)
    usage.flush(now=ELEVEN)
    count(ELEVEN, ELEVEN)
    found = usage.of_keys(["a", "b", "c"], days=2, now=ELEVEN)
    assert found == {"a": KeyUsage({TEN: 2, ELEVEN: 4}, ELEVEN), "b": KeyUsage({TEN: 1}, TEN), "c": KeyUsage()}
    assert (found["a"].uses, found["a"].by_day(ELEVEN, 2)) == (6, [(date(2026, 3, 1), 0), (date(2026, 3, 2), 6)])
    with redis_away():
        assert usage.of_keys(["a"], days=2, now=ELEVEN) == {"a": KeyUsage({TEN: 2, ELEVEN: 2}, ELEVEN)}
