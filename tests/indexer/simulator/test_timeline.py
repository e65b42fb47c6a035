from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.simulator.network.timeline import HOUR, START_SLACK, Timeline

EPOCH = 1_790_000_000_000_000
DEMO = Timeline(1, EPOCH)
ODD = Timeline(1, EPOCH, actors=40, rate=7, preroll_events=500, preroll_hours=2)


@pytest.mark.parametrize("timeline", [DEMO, ODD])
def test_times_strictly_rise_from_the_start_over_the_epoch(timeline: Timeline) -> None:
    times = [timeline.time_of(number) for number in range(timeline.first_live + 100)]
    assert times == sorted(set(times))
    assert times[0] == EPOCH - timeline.preroll_hours * HOUR + START_SLACK == timeline.start_us
    assert times[timeline.first_live] == EPOCH
    assert times[-1] == EPOCH + 99 * 1_000_000 // timeline.rate


@given(st.sampled_from([DEMO, ODD]), st.integers(0, 10**9))
def test_a_number_is_found_by_its_time(timeline: Timeline, number: int) -> None:
    time = timeline.time_of(number)
    assert timeline.first_at(time) == number
    assert timeline.first_at(time + 1) == number + 1


def test_the_preroll_is_denser_towards_the_epoch_where_it_meets_the_live_rate() -> None:
    hours = [DEMO.first_at(EPOCH - hour * HOUR) for hour in range(70, -1, -1)]
    events = [end - begin for begin, end in itertools.pairwise(hours)]
    assert events == sorted(events)
    last_second = DEMO.first_live - DEMO.first_at(EPOCH - 1_000_000)
    assert 45 <= last_second <= 50
