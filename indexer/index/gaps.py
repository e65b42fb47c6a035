"""Detects gaps: whether the host skipped events, judged by the first event after a connect. Pure.

Jetstream v1 silently clamps a cursor that is too old, and answers one from its future with the live tail
(https://github.com/bluesky-social/jetstream); a proxy may refuse a cursor. Skipped events must not go unnoticed: they
become a row of stream_gaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

from atsite.core.clock import HOUR_US, SECOND_US

#: How far the first event may lie from where it is expected. time_us runs back by tens of milliseconds within a host,
#: and hosts differ by some seconds.
SLACK_US: Final = 5 * SECOND_US


class GapReason(StrEnum):
    CLAMPED = "clamped"  # the host no longer had the requested events
    FUTURE = "future_cursor"  # the cursor was ahead of the host, which continued live
    TOO_OLD = "beyond_lookback"  # more was requested of a filtered stream than the host replays
    REFUSED = "refused_cursor"  # the host kept refusing the cursor, so the stream continues live


@dataclass(frozen=True, slots=True)
class Gap:
    """A row of stream_gaps: what happened between the two times (unix microseconds) may be missing."""

    from_us: int
    to_us: int
    reason: GapReason


@dataclass(frozen=True, slots=True)
class Resumed:
    """A connection that asked the host to resume from `cursor`, with everything up to `known_us` stored.

    `known_us` is the time of an event that this host (or a similar one) has sent before, so it must come again; it
    equals `cursor` if no such event is known. `expects_gap`: a first start accepts what the host has. `refused`: the
    host refused the cursor, and was asked for the live stream instead. `plausible_us`: up to when everything is stored
    by the local clock (indexer.stream.position), if that differs from `known_us`.
    """

    cursor: int
    known_us: int
    expects_gap: bool = False
    refused: bool = False
    plausible_us: int = 0

    @property
    def durable_us(self) -> int:
        """Where a gap begins."""
        return self.plausible_us or self.known_us


def first_of(resumed: Resumed, times: Sequence[int]) -> int:
    """The time of the first event that shows where the host resumes; `times` are those of the first events.

    A single event behind the cursor is a glitch of the host's clock if the next one is not behind.
    """
    return next((time_us for time_us in times if time_us >= resumed.cursor - SLACK_US), times[0])


def gap_of(resumed: Resumed, first_us: int, *, filtered: bool, now_us: int, lookback_hours: int) -> Gap | None:
    """The gap that follows from the first event's time_us, if any.

    On a `filtered` stream (WANTED_*) a late first event proves nothing, so the age of the cursor decides. A first start
    accepts what the host has; but if the host refuses the cursor, that is a gap even then.
    """
    begin_us = resumed.durable_us
    if resumed.refused and first_us > begin_us:
        return Gap(begin_us, first_us, GapReason.REFUSED)
    if first_us < resumed.cursor - SLACK_US:
        return Gap(min(begin_us, first_us), max(begin_us, first_us), GapReason.FUTURE)
    if resumed.expects_gap:
        return None
    if filtered:
        oldest_us = now_us - lookback_hours * HOUR_US
        return Gap(begin_us, oldest_us, GapReason.TOO_OLD) if begin_us < oldest_us else None
    if first_us > resumed.known_us + SLACK_US:
        return Gap(begin_us, first_us, GapReason.CLAMPED)
    return None
