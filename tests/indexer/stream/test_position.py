from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atsite.core.clock import HOUR_US
from indexer.stream.position import AGREE_EVENTS, AGREE_SECONDS, AHEAD_US, Position
from tests.indexer.frames import MINUTE, SECOND, T0

DAY = 24 * HOUR_US


class Clocks:
    """The local clock, which may be off, and a monotonic one."""

    def __init__(self, local_us: int = T0) -> None:
        self.local_us = local_us
        self.now = 0.0

    def __call__(self) -> int:
        return self.local_us

    def wait(self, seconds: float) -> None:
        self.local_us += int(seconds * SECOND)
        self.now += seconds


def advance(position: Position, clocks: Clocks, *times: int) -> tuple[int, int]:
    """The position and what the local clock bears out, once the events have come one by one."""
    for time_us in times:
        position.advance([time_us], clocks.now)
    return position.us, position.plausible_us


def test_the_largest_time_counts_and_not_the_last() -> None:
    clocks = Clocks()
    assert advance(Position(clocks), clocks, T0 - 9, T0 - 1, T0 - 5) == (T0 - 1, T0 - 1)


def test_a_time_up_to_two_minutes_ahead_counts_at_once() -> None:
    clocks = Clocks()
    assert advance(Position(clocks), clocks, T0 + AHEAD_US) == (T0 + AHEAD_US, T0 + AHEAD_US)
    assert advance(Position(clocks), clocks, T0 + AHEAD_US + 1) == (0, 0)


def test_one_event_a_day_ahead_of_its_neighbours_is_no_position_however_they_arrive() -> None:
    stream = [T0 - 3, T0 - 2, T0 + DAY, T0 - 1, T0]
    for together in (True, False):
        clocks = Clocks()
        position = Position(clocks)
        if together:
            position.advance(stream, clocks.now)
        else:
            advance(position, clocks, *stream)
        assert (position.us, position.plausible_us, position.skew_us) == (T0, T0, 0)


@given(
    st.lists(st.integers(min_value=T0 - DAY, max_value=T0), min_size=1, max_size=50),
    st.lists(st.integers(min_value=T0 + AHEAD_US + 1, max_value=T0 + 1000 * DAY), max_size=AGREE_EVENTS - 1),
    st.randoms(use_true_random=False),
)
@settings(deadline=None)
def test_fewer_than_a_hundred_events_ahead_never_move_the_position(
    plausible: list[int], ahead: list[int], random: object
) -> None:
    clocks = Clocks()
    position = Position(clocks)
    mixed = [*plausible, *ahead]
    random.shuffle(mixed)  # type: ignore[attr-defined]

    assert advance(position, clocks, *mixed) == (max(plausible), max(plausible))


def test_times_that_are_scattered_ahead_agree_on_nothing() -> None:
    clocks = Clocks()
    position = Position(clocks)
    scattered = [T0 + DAY + number * 3 * MINUTE for number in range(2 * AGREE_EVENTS)]

    assert advance(position, clocks, T0, *scattered) == (T0, T0)

    clocks.wait(AGREE_SECONDS)
    assert advance(position, clocks, scattered[-1] + DAY)[0] == T0


def test_a_whole_host_a_day_ahead_is_believed_after_a_hundred_events() -> None:
    clocks = Clocks()
    position = Position(clocks, plausible_us=T0 - MINUTE)
    events = [T0 + DAY + number for number in range(AGREE_EVENTS + 1)]

    assert advance(position, clocks, *events[: AGREE_EVENTS - 1]) == (0, T0 - MINUTE)
    assert advance(position, clocks, events[AGREE_EVENTS - 1]) == (events[AGREE_EVENTS - 1], T0 - MINUTE)
    assert advance(position, clocks, events[AGREE_EVENTS]) == (events[AGREE_EVENTS], T0 - MINUTE)
    assert position.skew_us == DAY


def test_a_glitch_among_events_of_a_host_that_is_ahead_is_no_position_either() -> None:
    clocks = Clocks()
    position = Position(clocks)
    ahead = [T0 + 6 * HOUR_US + number for number in range(AGREE_EVENTS - 1)]

    assert advance(position, clocks, T0 + 30 * HOUR_US, *ahead)[0] == ahead[-1]
    assert advance(position, clocks, T0 + 30 * HOUR_US)[0] == ahead[-1]


def test_with_a_skew_a_time_becomes_plausible_once_the_local_clock_is_two_minutes_before_it() -> None:
    clocks = Clocks()
    position = Position(clocks, plausible_us=T0 - MINUTE)
    ahead = [T0 + 10 * MINUTE + number for number in range(AGREE_EVENTS)]
    advance(position, clocks, *ahead)

    clocks.local_us = ahead[-1] - AHEAD_US - 1
    assert advance(position, clocks, clocks() + 10 * MINUTE)[1] == T0 - MINUTE
    clocks.local_us += 1
    assert advance(position, clocks, clocks() + 10 * MINUTE)[1] == ahead[-1]


def test_a_host_that_gets_its_clock_right_takes_the_position_back_with_it() -> None:
    clocks = Clocks()
    position = Position(clocks)
    advance(position, clocks, *(T0 + DAY + number for number in range(AGREE_EVENTS)))
    clocks.wait(10)
    right = [clocks() + number for number in range(AGREE_EVENTS)]

    assert advance(position, clocks, *right[:-1])[0] == T0 + DAY + AGREE_EVENTS - 1
    assert advance(position, clocks, right[-1]) == (right[-1], right[-1])
    assert position.skew_us == 0


def test_a_slow_local_clock_stops_nothing_and_what_it_bears_out_follows() -> None:
    clocks = Clocks(T0 - 6 * HOUR_US)
    position = Position(clocks, plausible_us=T0 - 7 * HOUR_US)
    true_us = T0
    for _ in range(13 * 60):
        clocks.wait(60)
        true_us += MINUTE
        position.advance([true_us], clocks.now)
        if true_us > T0 + 2 * MINUTE:
            assert position.us == true_us
    # Every six hours a time that was received six hours before has come true on the local clock.
    assert position.plausible_us > T0
    assert position.plausible_us <= clocks() + AHEAD_US


def test_a_replay_that_passes_a_slow_local_clock_goes_on() -> None:
    clocks = Clocks(T0 - 6 * HOUR_US)
    position = Position(clocks)
    stream = range(T0 - 8 * HOUR_US, T0, SECOND)
    for start in range(0, len(stream), 500):
        position.advance(stream[start : start + 500], clocks.now)

    assert position.us >= stream[-1] - MINUTE * 4


def test_one_event_an_hour_is_believed_with_the_second_that_agrees() -> None:
    clocks = Clocks()
    position = Position(clocks)
    assert advance(position, clocks, T0 + 6 * HOUR_US) == (0, 0)
    clocks.wait(3600)
    assert advance(position, clocks, T0 + 7 * HOUR_US)[0] == T0 + 7 * HOUR_US
    clocks.wait(3600)
    assert advance(position, clocks, T0 + 8 * HOUR_US)[0] == T0 + 8 * HOUR_US


def test_one_event_an_hour_of_which_one_is_a_day_ahead_leaves_the_position_with_the_others() -> None:
    clocks = Clocks()
    position = Position(clocks)
    for hour in range(6):
        advance(position, clocks, clocks() + (DAY if hour in (2, 4) else 0))
        assert position.us == T0 + (hour - (hour in (2, 4))) * HOUR_US
        clocks.wait(3600)


@pytest.mark.parametrize("events", [2, AGREE_EVENTS])
def test_events_ahead_are_believed_after_a_minute_or_a_hundred(events: int) -> None:
    clocks = Clocks()
    position = Position(clocks)
    for number in range(events):
        assert position.us == 0
        advance(position, clocks, clocks() + DAY)
        clocks.wait(AGREE_SECONDS if events == 2 and number == 0 else 0)

    assert position.us == clocks() + DAY


def test_a_host_that_goes_on_before_the_cursor_takes_its_place() -> None:
    clocks = Clocks()
    position = Position(clocks)
    advance(position, clocks, T0)

    position.begin_again(T0 - HOUR_US)

    assert (position.us, position.plausible_us) == (T0 - HOUR_US, T0 - HOUR_US)


def test_of_a_hundred_events_ahead_a_half_that_agrees_is_no_majority() -> None:
    def believed(agreeing: int) -> bool:
        clocks = Clocks()
        position = Position(clocks)
        scattered = [T0 + (2 + number) * DAY for number in range(100 - agreeing)]
        advance(position, clocks, *scattered, *([T0 + DAY] * agreeing))
        return position.skew_us == DAY

    assert (believed(50), believed(51)) == (False, True)
