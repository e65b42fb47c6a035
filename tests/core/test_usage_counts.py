"""Counts in Redis by period and subject, as both apps that count use them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from atsite.core.kv.quick import RedisAway
from atsite.core.usage_counts import DAY, HOUR, Counts, Reading, newest
from tests.away import redis_away

if TYPE_CHECKING:
    import redis

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)


def counts(written: int = 3) -> Counts:
    return Counts("tests:usage", period=HOUR, written=written, kept_seconds=100)


def test_counts_add_up_by_period_and_subject_and_the_latest_number_replaces_the_one_before(
    valkey: redis.Redis,
) -> None:
    kind = counts()
    kind.add(valkey, TEN, {("calls", "a"): 1, ("calls", "b:c"): 5}, {("last", "a"): 7})
    kind.add(valkey, TEN + timedelta(minutes=59), {("calls", "a"): 2}, {("last", "a"): 6})
    kind.add(valkey, TEN - HOUR, {("calls", "a"): 4})
    newer, other, older = kind.readings(now=TEN)
    assert newer == Reading("a", TEN, newer.counter, {"calls": 3, "last": 6})
    assert other == Reading("b:c", TEN, newer.counter, {"calls": 5})
    assert older == Reading("a", TEN - HOUR, older.counter, {"calls": 4})
    assert newer.counter != older.counter


def test_only_the_written_periods_are_read_and_every_hash_ends(valkey: redis.Redis) -> None:
    kind = counts(written=2)
    kind.add(valkey, TEN, {("calls", "a"): 1})
    assert [len(kind.readings(now=TEN + HOUR * hours)) for hours in (-1, 0, 1, 2)] == [0, 1, 1, 0]
    assert 0 < int(valkey.ttl("atsite:tests:usage:2026030210")) <= 100


def test_a_hash_that_redis_lost_has_another_counter(valkey: redis.Redis) -> None:
    kind, seen = counts(), set()
    for _ in range(2):
        valkey.flushdb()
        kind.add(valkey, TEN, {("calls", "a"): 1})
        (reading,) = kind.readings(now=TEN)
        seen.add(reading.counter)
    assert len(seen) == 2


def test_a_period_of_a_day_begins_at_midnight_utc(valkey: redis.Redis) -> None:
    kind = Counts("tests:usage", period=DAY, written=1, kept_seconds=100)
    kind.add(valkey, TEN, {("calls", "a"): 1})
    (reading,) = kind.readings(now=TEN + timedelta(hours=13))
    assert reading.start == datetime(2026, 3, 2, tzinfo=UTC)
    assert valkey.keys("*") == [b"atsite:tests:usage:20260302"]


def test_with_redis_away_nothing_is_read(valkey: redis.Redis) -> None:
    with redis_away(), pytest.raises(RedisAway):
        counts().readings(now=TEN)


def test_of_two_rows_of_one_counter_the_larger_is_the_later_one() -> None:
    rows = [("a", 3), ("a", 5), ("a", 4), ("b", 1)]
    assert newest(rows, place=lambda row: row[0], size=lambda row: row[1]) == [("a", 5), ("b", 1)]
