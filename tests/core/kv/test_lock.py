"""The single-flight lock on a real Valkey."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from redis import RedisError

from atsite.core.kv.lock import Lock, single_flight

if TYPE_CHECKING:
    import redis


def test_of_many_at_once_one_does_the_work(valkey: redis.Redis) -> None:
    together, finish = Barrier(8), Barrier(8)

    def work(_: int) -> bool:
        together.wait(timeout=10)
        with single_flight("work", 60) as mine:
            finish.wait(timeout=10)  # nobody leaves before everybody asked
            return mine

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(work, range(8))) == [False] * 7 + [True]


def test_the_lock_is_free_again_afterwards_also_after_an_error(valkey: redis.Redis) -> None:
    with pytest.raises(RuntimeError, match="broken"), single_flight("work", 60):
        raise RuntimeError("broken")
    with single_flight("work", 60) as mine:
        assert mine


def test_a_lock_that_ran_out_is_never_taken_from_its_next_holder(valkey: redis.Redis) -> None:
    late, next_one = Lock("work", 60), Lock("work", 60)
    assert late.acquire()
    valkey.delete(late.key)  # as if the time had run out
    assert next_one.acquire()
    assert not late.release()
    assert not Lock("work", 60).acquire()
    assert next_one.release()


def test_a_lock_ends_by_itself_when_its_holder_died(valkey: redis.Redis) -> None:
    lock = Lock("work", 60)
    assert lock.acquire()
    left = valkey.pttl(lock.key)
    assert isinstance(left, int)
    assert 0 < left <= 60_000


def test_another_name_is_another_lock(valkey: redis.Redis) -> None:
    with single_flight("one", 60) as one, single_flight("two", 60) as two:
        assert (one, two) == (True, True)


def test_what_was_done_counts_also_where_redis_went_away_before_the_lock_was_given_back(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Lock) -> bool:
        raise RedisError("away")

    monkeypatch.setattr(Lock, "release", away)
    with single_flight("work", 60) as mine:
        done = mine
    assert done
