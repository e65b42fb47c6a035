from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from atsite.core.clock import DAY_US, datetime_of, us_of


@pytest.mark.parametrize(
    ("moment", "micros"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(2026, 11, 29, 6, 7, 8, 123_457, tzinfo=UTC), 1_795_932_428_123_457),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), 253_402_300_799_999_999),
    ],
)
def test_a_moment_and_its_microseconds_are_each_other_exactly(moment: datetime, micros: int) -> None:
    assert us_of(moment) == micros
    assert datetime_of(micros) == moment


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    tomorrow = datetime(1970, 1, 2, 2, tzinfo=timezone(timedelta(hours=2)))
    assert us_of(tomorrow) == DAY_US


def test_a_year_after_9999_is_an_error() -> None:
    with pytest.raises(OverflowError):
        datetime_of(253_402_300_800_000_000)
