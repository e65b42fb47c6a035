"""Values that are remembered for a moment: how long, how many, and who asks for them again."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from atsite.core.ttl_cache import TtlCache

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_SECONDS = 60


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_value_lives_for_its_time_from_the_moment_it_is_of(clock: Clock) -> None:
    cache = TtlCache[str, int](size=10, seconds=10, clock=clock)
    cache.put("now", 1)
    cache.put("before", 2, at=95.0)
    assert (cache.peek("now"), cache.peek("before"), cache.peek("never")) == (1, 2, None)
    clock.now = 105.0
    assert (cache.peek("now"), cache.peek("before")) == (1, None)
    assert (cache.peek("now", at=109.9), cache.peek("now", at=110.0)) == (1, None)
    cache.drop("now")
    cache.drop("never")
    assert cache.peek("now") is None


def test_putting_again_begins_anew(clock: Clock) -> None:
    cache = TtlCache[str, int](size=2, seconds=10, clock=clock)
    cache.put("a", 1)
    cache.put("b", 1)
    clock.now += 5
    cache.put("a", 2)
    cache.put("c", 1)  # the oldest is b now
    clock.now += 9
    assert [cache.peek(key) for key in "abc"] == [2, None, 1]


def test_it_holds_no_more_than_its_size_and_ended_values_go_as_new_ones_come(clock: Clock) -> None:
    cache = TtlCache[int, int](size=3, seconds=10, clock=clock)
    for number in range(5):
        cache.put(number, number)
    assert [cache.peek(number) for number in range(5)] == [None, None, 2, 3, 4]
    clock.now += 10
    cache.put(5, 5)
    assert len(cache) == 1


def test_values_of_different_weight_share_the_size(clock: Clock) -> None:
    cache = TtlCache[str, str](size=10, seconds=10, clock=clock, weight=len)
    for value in ("aaaa", "bbbb", "cc"):
        cache.put(value[0], value)
    assert [cache.peek(key) for key in "abc"] == ["aaaa", "bbbb", "cc"]
    cache.put("a", "a")  # lighter than before, and the newest: there is room for three more
    cache.put("d", "ddd")
    assert [cache.peek(key) for key in "abcd"] == ["a", "bbbb", "cc", "ddd"]
    cache.put("e", "eeeee")  # as much as the oldest and one more
    assert [cache.peek(key) for key in "abcde"] == ["a", None, None, "ddd", "eeeee"]
    cache.drop("e")
    cache.put("f", "ffffff")
    assert [cache.peek(key) for key in "adef"] == ["a", "ddd", None, "ffffff"]


def test_a_false_value_is_a_value(clock: Clock) -> None:
    cache = TtlCache[str, bool](size=1, seconds=10, clock=clock)
    cache.put("a", False)
    assert cache.peek("a") is False
    assert cache.get("a", lambda: True) is False


def test_without_a_time_nothing_is_remembered(clock: Clock) -> None:
    cache = TtlCache[str, int](size=1, seconds=0, clock=clock)
    assert [cache.get("a", lambda: 1), cache.get("a", lambda: 2)] == [1, 2]


@pytest.mark.parametrize("single_flight", [False, True])
def test_what_is_asked_for_is_of_the_moment_before_and_an_error_is_not_remembered(
    clock: Clock, single_flight: bool
) -> None:
    cache = TtlCache[str, int](size=1, seconds=10, clock=clock)

    def slow() -> int:
        clock.now += 9
        return 1

    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0, single_flight=single_flight)
    assert cache.get("a", slow, single_flight=single_flight) == 1
    assert cache.get("a", lambda: 2, single_flight=single_flight) == 1
    clock.now += 1
    assert cache.get("a", lambda: 2, single_flight=single_flight) == 2


class Key:
    """Counts who looked for it among the questions under way."""

    def __init__(self) -> None:
        self.looked_up = 0

    def __hash__(self) -> int:
        self.looked_up += 1
        return 7

    @property
    def waiting(self) -> int:
        """Callers at the place where they wait: each looks five times (two of them for the values) before it does."""
        return self.looked_up // 5


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("fails", [False, True])
def test_in_a_single_flight_one_asks_and_the_others_wait_for_its_answer(fails: bool) -> None:
    cache, key, go_on, asked = TtlCache[Key, int](size=1, seconds=1000), Key(), threading.Event(), []

    def ask() -> int:
        asked.append(1)
        assert go_on.wait(DEADLINE_SECONDS)
        return 1 // 0 if fails else 7

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(cache.get, key, ask, single_flight=True) for _ in range(4)]
        until(lambda: len(asked) == 1 and key.waiting == 4)
        go_on.set()
        for answer in answers:
            if fails:
                with pytest.raises(ZeroDivisionError):
                    answer.result(DEADLINE_SECONDS)
            else:
                assert answer.result(DEADLINE_SECONDS) == 7
    assert len(asked) == 1
    assert cache._asking == {}


class LateLock:
    """A lock before which, the first time, another caller is served."""

    def __init__(self, other: Callable[[], None]) -> None:
        self._lock, self._others = threading.RLock(), [other]

    def __enter__(self) -> None:
        if self._others:
            self._others.pop()()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.mark.parametrize("stored_before", [False, True])
def test_what_another_caller_was_told_meanwhile_is_not_asked_for_again(clock: Clock, stored_before: bool) -> None:
    cache = TtlCache[str, int](size=1, seconds=10, clock=clock)
    if stored_before:
        cache.put("a", 1)
        clock.now += 10
    cache._lock = LateLock(lambda: cache.put("a", 2))  # type: ignore[assignment]
    assert cache.get("a", lambda: 3, single_flight=True) == 2
