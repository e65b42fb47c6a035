"""Telling from the first event after a connect whether the host left something out. Pure.

Jetstream v1 clamps a cursor that is too old, and answers one from its future with the live tail, both without a word
(https://github.com/bluesky-social/jetstream); what stands in front of one may refuse it. What is left out must not be
silent: it becomes a row of stream_gaps.
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
    CLAMPED = "clamped"  # the host no longer had what was asked for
    FUTURE = "future_cursor"  # the cursor lay ahead of the host, which went on live
    TOO_OLD = "beyond_lookback"  # a filtered stream was asked for more than the host replays
    REFUSED = "refused_cursor"  # the host went on refusing the cursor, so the stream goes on live


@dataclass(frozen=True, slots=True)
class Gap:
    """A row of stream_gaps: what happened between the two times (unix microseconds) may be missing."""

    from_us: int
    to_us: int
    reason: GapReason


@dataclass(frozen=True, slots=True)
class Resumed:
    """A connection that asked the host to go on from `cursor`, having everything up to `known_us`.

    `known_us` is the time of an event that this host (or one like it) has sent before, so that it must come again; it
    equals `cursor` where nothing is known but what was asked for. `expects_gap`: a first start takes what there is.
    `refused`: the host would not take the cursor, and was asked for the live stream instead. `plausible_us`: up to when
    everything is there by the local clock (indexer.stream.position), where that is not `known_us`.
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
    """The time of the first event that tells where the host goes on; `times` are those of the first events.

    One event behind the cursor is a glitch of the host's clock where the next is not.
    """
    return next((time_us for time_us in times if time_us >= resumed.cursor - SLACK_US), times[0])


def gap_of(resumed: Resumed, first_us: int, *, filtered: bool, now_us: int, lookback_hours: int) -> Gap | None:
    """The gap that the first event's time_us gives away, if it does.

    On a `filtered` stream (WANTED_*) a late first event proves nothing: there the age of the cursor decides. A first
    start takes what there is; a host that refuses the cursor has not even been asked, and that is a gap all the same.
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
