"""Readings that nobody waits for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from atsite.core.kv.quick import RedisAway
from atsite.dashboard.concurrent_reads import CachedRead, ConcurrentReads

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a store that hangs waits for."""
    event = threading.Event()
    yield event
    event.set()


def test_a_value_is_kept_for_its_time_and_then_read_again() -> None:
    clock, numbers = Clock(), iter(range(10))
    reads = ConcurrentReads({"often": CachedRead(lambda: next(numbers), 1.0)}, clock=clock)
    assert [reads.values(timeout=5)["often"] for _ in range(2)] == [0, 0]
    clock.now = 1.0
    assert reads.values(timeout=5) == {"often": 1}


def test_a_store_that_is_away_has_no_value_and_the_others_have_theirs() -> None:
    def away() -> int:
        raise RedisAway("gone")

    reads = ConcurrentReads({"away": CachedRead(away, 1.0), "there": CachedRead(lambda: 7, 1.0)})
    assert reads.values(timeout=5) == {"away": None, "there": 7}


def test_a_store_that_hangs_holds_nobody_up_is_asked_once_and_comes_back(gate: threading.Event) -> None:
    asked = []

    def hang() -> int:
        asked.append(1)
        gate.wait(30)
        return 3

    clock = Clock()
    reads = ConcurrentReads({"hangs": CachedRead(hang, 1.0), "there": CachedRead(lambda: 7, 1.0)}, clock=clock)
    for now in (0.0, 1.0, 2.0):
        clock.now = now
        assert reads.values(timeout=0.05) == {"hangs": None, "there": 7}
    assert len(asked) == 1
    gate.set()
    assert reads.values(timeout=10) == {"hangs": 3, "there": 7}


def test_a_fault_of_ours_is_not_taken_for_a_store_that_is_away() -> None:
    reads = ConcurrentReads({"broken": CachedRead(lambda: 1 / 0, 1.0)})
    with pytest.raises(ZeroDivisionError):
        reads.values(timeout=5)
