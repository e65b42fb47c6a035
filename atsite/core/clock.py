"""Time as the index counts it: whole microseconds since 1970 (UTC), with units and conversions."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def now_us() -> int:
    """This machine's clock, in unix microseconds."""
    return time.time_ns() // 1000


def us_of(moment: datetime) -> int:
    """Unix microseconds of an aware `moment`, exactly: `timestamp()` is a float and loses the last digits."""
    return (moment - _EPOCH) // _MICROSECOND


def datetime_of(micros: int) -> datetime:
    """The moment of unix `micros`, UTC, exactly. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + micros * _MICROSECOND
