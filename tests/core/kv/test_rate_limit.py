"""Calls a minute, counted for all processes together, or by each for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.kv import rate_limit
from atsite.core.kv.rate_limit import RateLimit
from tests.away import redis_away

if TYPE_CHECKING:
    import pytest
    import redis


def test_processes_count_together_and_callers_apart(valkey: redis.Redis) -> None:
    one, other = RateLimit("tests"), RateLimit("tests")
    assert [one.take("a", 3), other.take("a", 3), one.take("a", 3)] == [0, 0, 0]
    assert 0 < other.take("a", 3) <= 60
    assert other.take("b", 3) == 0
    assert RateLimit("others").take("a", 3) == 0


def test_a_counter_always_ends_also_one_that_lost_its_time(valkey: redis.Redis) -> None:
    limit, key = RateLimit("tests"), "atsite:rate:tests:a"
    limit.take("a", 1)
    assert 0 < int(valkey.pttl(key)) <= 60_000
    valkey.persist(key)
    assert limit.take("a", 1) == 60
    assert 0 < int(valkey.pttl(key)) <= 60_000


def test_with_redis_away_a_process_counts_for_itself(valkey: redis.Redis) -> None:
    now = [0.0]
    limit = RateLimit("tests", clock=lambda: now[0])
    with redis_away():
        assert [limit.take("a", 1), limit.take("b", 1), limit.take("a", 1)] == [0, 0, 60]
        now[0] = 59.0
        assert limit.take("a", 1) == 1
        now[0] = 60.0
        assert limit.take("a", 1) == 0


def test_a_process_that_counts_for_itself_does_not_grow_without_end(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "CALLERS_MAX", 10)
    limit = RateLimit("tests")
    with redis_away():
        for number in range(95):
            limit.take(str(number), 1)
    assert len(limit._windows) <= 10


def test_what_is_refused_is_not_counted_and_a_smaller_part_still_fits(valkey: redis.Redis) -> None:
    limit = RateLimit("tests", seconds=rate_limit.HOUR)

    def takes() -> list[bool]:
        return [limit.take("a", 10, times=times) == 0 for times in (6, 5, 4, 1)]

    assert takes() == [True, False, True, False]
    assert 3500 < limit.take("a", 10) <= 3600
    with redis_away():
        assert takes() == [True, False, True, False]
