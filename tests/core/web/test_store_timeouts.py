"""Stores that hang: nobody waits long, one asks again, and all come back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import redis

from atsite.core.clickhouse.errors import ClickHouseError, QueryTimedOut, SchemaMismatch, Unreachable
from atsite.core.web.store_timeouts import THREADS, StoreAway, StoreGuard
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable


def test_an_answer_is_passed_on() -> None:
    assert StoreGuard("store", seconds=5, pause=5).call(lambda: 7) == 7


def test_a_store_that_hangs_counts_as_away_and_is_not_asked_again_in_the_pause() -> None:
    patience, hanging, asked = StoreGuard("store", seconds=0.05, pause=60), threading.Event(), []
    with pytest.raises(StoreAway):
        patience.call(hanging.wait)
    with pytest.raises(StoreAway):
        patience.call(lambda: asked.append(1))
    hanging.set()
    assert asked == []


def test_a_call_that_waited_in_vain_for_its_turn_is_not_made_later() -> None:
    guard, hanging, made = StoreGuard("store", seconds=0.02, pause=0), threading.Event(), []
    for _ in range(THREADS):
        with pytest.raises(StoreAway):
            guard.call(hanging.wait)
    with pytest.raises(StoreAway):
        guard.call(lambda: made.append("in vain"))
    hanging.set()
    until(lambda: _answers(guard, lambda: made.append("now")))
    assert set(made) == {"now"}


def _answers(guard: StoreGuard, function: Callable[[], object]) -> bool:
    with suppress(StoreAway):
        guard.call(function)
        return True
    return False


def test_after_the_pause_one_asks_again_while_the_others_go_on_without() -> None:
    patience, answer = StoreGuard("store", seconds=30, pause=0), threading.Event()
    with pytest.raises(StoreAway):
        patience.call(Fails(ConnectionError()))
    with ThreadPoolExecutor(1) as threads:
        asking = threading.Event()

        def ask() -> bool:
            asking.set()
            return answer.wait(30)

        first = threads.submit(patience.call, ask)
        assert asking.wait(30)
        with pytest.raises(StoreAway):
            patience.call(lambda: 7)
        answer.set()
        first.result(30)
    assert patience.call(lambda: 7) == 7


@pytest.mark.parametrize(
    "error",
    [
        redis.ConnectionError(),
        redis.TimeoutError(),
        redis.ResponseError("LOADING"),
        Unreachable("", code=210, name="x"),
        QueryTimedOut("", code=159, name="x"),
    ],
)
def test_what_a_later_try_may_cure_is_away(error: Exception) -> None:
    with pytest.raises(StoreAway):
        StoreGuard("store", seconds=5, pause=5).call(Fails(error))


@pytest.mark.parametrize("error", [ValueError(), SchemaMismatch("", code=60, name="x")])
def test_a_fault_of_ours_passes_through(error: Exception) -> None:
    with pytest.raises((ValueError, ClickHouseError)) as caught:
        StoreGuard("store", seconds=5, pause=5).call(Fails(error))
    assert caught.value is error


class Fails:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __call__(self) -> None:
        raise self.error
