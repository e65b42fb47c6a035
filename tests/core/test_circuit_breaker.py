"""When a store that failed is asked again."""

from __future__ import annotations

import pytest

from atsite.core.circuit_breaker import CircuitBreaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker(pause=1.0, trial=0.5, clock=clock)


def test_a_store_that_answers_is_always_asked(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        assert breaker.admits()
        breaker.succeeded()


def test_after_a_failure_nobody_asks_until_one_tries_it(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.failed()
    clock.now += 0.9
    assert not breaker.admits()
    clock.now += 0.1
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert [breaker.admits() for _ in range(3)] == [True, True, True]


def test_a_trial_that_fails_begins_another_pause(breaker: CircuitBreaker, clock: Clock) -> None:
    breaker.failed()
    clock.now += 1.0
    assert breaker.admits()
    breaker.failed()
    clock.now += 0.9
    assert not breaker.admits()
    clock.now += 0.1
    assert breaker.admits()


def test_a_trial_that_never_says_how_it_went_does_not_block_the_others_for_ever(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    breaker.failed()
    clock.now += 1.0
    assert breaker.admits()
    clock.now += 1.4
    assert not breaker.admits()
    clock.now += 0.1
    assert [breaker.admits(), breaker.admits()] == [True, False]


def test_only_the_first_of_many_failures_is_new(breaker: CircuitBreaker) -> None:
    assert [breaker.failed(), breaker.failed()] == [True, False]
    breaker.succeeded()
    assert breaker.failed()
