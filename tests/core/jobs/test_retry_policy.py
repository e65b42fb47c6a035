"""The pauses between the tries of a job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from atsite.core.jobs.retry_policy import is_last, pause_after

FIRST, LONGEST = timedelta(minutes=1), timedelta(minutes=10)


@pytest.mark.parametrize(
    ("tries", "requested", "seconds"),
    [
        (1, None, 60),
        (3, None, 240),
        (5, None, 600),
        (3, timedelta(minutes=7), 420),
        (4, timedelta(minutes=2), 480),
        (4, timedelta(seconds=5), 5),
    ],
)
def test_pauses_double_and_last_at_least_as_long_as_requested(
    tries: int, requested: timedelta | None, seconds: int
) -> None:
    pause = pause_after(tries, first=FIRST, longest=LONGEST, requested=requested)
    assert pause == timedelta(seconds=seconds)


def test_the_last_try_is_the_one_that_the_limit_allows() -> None:
    assert [is_last(tries, max_tries=3) for tries in (2, 3, 4)] == [False, True, True]
