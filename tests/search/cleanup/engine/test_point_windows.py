"""Rolling windows of points: never more than a limit, and as much as it allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.cleanup.engine.point_windows import Limits, Sent, room, time_for

NOW = datetime(2026, 11, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LIMITS = Limits(per_hour=4_000, per_day=30_000)


def ago(seconds: float, points: int) -> Sent:
    return Sent(NOW - timedelta(seconds=seconds), points)


def test_all_of_a_limit_is_there_at_first() -> None:
    assert room([], NOW, LIMITS) == 4_000
    assert room([], NOW, Limits(4_000, 300)) == 300


def test_points_count_for_an_hour_and_a_day_to_the_microsecond() -> None:
    an_hour, a_day = NOW - timedelta(hours=1), NOW - timedelta(days=1)
    assert room([Sent(an_hour, 3_999)], NOW, LIMITS) == 4_000
    assert room([Sent(an_hour + MICROSECOND, 3_999)], NOW, LIMITS) == 1
    assert room([Sent(a_day, 30_000)], NOW, LIMITS) == 4_000
    assert room([Sent(a_day + MICROSECOND, 29_990)], NOW, LIMITS) == 10


def test_more_points_than_a_limit_leave_no_room() -> None:
    assert room([ago(1, 5_000)], NOW, LIMITS) == 0


@pytest.mark.parametrize(
    ("sent", "points", "seconds"),
    [
        ([], 200, 0),
        ([ago(600, 3_800)], 200, 0),
        ([ago(600, 3_801)], 200, 3_000),
        ([ago(600, 2_000), ago(300, 2_000)], 200, 3_000),
        ([ago(600, 100), ago(300, 3_900)], 200, 3_300),
        ([ago(600, 4_000)], 9_000, 3_000),
        ([ago(80_000, 26_200), ago(3_700, 3_800)], 200, 6_400),
        ([ago(80_000, 26_200), ago(100, 3_801)], 200, 6_400),
    ],
)
def test_the_time_for_points_is_the_first_with_room(sent: list[Sent], points: int, seconds: int) -> None:
    assert time_for(points, sent, NOW, LIMITS) == NOW + timedelta(seconds=seconds)


@given(
    st.lists(st.tuples(st.integers(0, 90_000), st.integers(1, 200)), max_size=40),
    st.integers(1, 600),
    st.integers(1, 2_000),
    st.integers(1, 4_000),
)
def test_at_that_time_they_fit_and_a_moment_before_they_do_not(
    before: list[tuple[int, int]], points: int, per_hour: int, per_day: int
) -> None:
    sent = [ago(seconds, each) for seconds, each in before]
    limits = Limits(per_hour, per_day)
    wanted = min(points, per_hour, per_day)
    when = time_for(points, sent, NOW, limits)
    assert when >= NOW
    if all(sum(each.points for each in sent) - each.points <= limit for each in sent for limit in limits):
        assert room(sent, when, limits) >= wanted
    assert when == NOW or room(sent, when - MICROSECOND, limits) < wanted
