"""How many points of writes an account has left, in rolling windows of an hour and a day. PURE.

A PDS counts in windows that begin at the first write. In no window of that kind are more points than in the fullest
rolling one, so a limit that holds for these holds for those.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class Sent(NamedTuple):
    """Points that were sent at a time."""

    at: datetime
    points: int


class Limits(NamedTuple):
    """The most points in any hour and in any day."""

    per_hour: int
    per_day: int


def room(sent: Sequence[Sent], now: datetime, limits: Limits) -> int:
    """The points that may be sent now."""
    return max(0, min(limit - _used(sent, now, window) for window, limit in _windows(limits)))


def time_for(points: int, sent: Sequence[Sent], now: datetime, limits: Limits) -> datetime:
    """When `points` may be sent at once, if nothing else is sent; more than a limit allows counts as that limit."""
    wanted = min(points, *limits)
    return max(_time_for(wanted, sent, now, window, limit) for window, limit in _windows(limits))


def _windows(limits: Limits) -> tuple[tuple[timedelta, int], ...]:
    return (HOUR, limits.per_hour), (DAY, limits.per_day)


def _used(sent: Sequence[Sent], now: datetime, window: timedelta) -> int:
    return sum(each.points for each in sent if each.at > now - window)


def _time_for(points: int, sent: Sequence[Sent], now: datetime, window: timedelta, limit: int) -> datetime:
    used = _used(sent, now, window)
    when = now
    for each in sorted(each for each in sent if each.at > now - window):
        if used + points <= limit:
            break
        used -= each.points
        when = each.at + window
    return when
