"""The position of the stream, checked against this machine's clock. Pure; both clocks are parameters.

A reconnect and a checkpoint resume from the position. So a single event with a time far ahead must not become the
position: events up to that time would never be requested. The largest time counts, with one exception:

1. A time more than AHEAD_US ahead of the local clock waits. It counts once AGREE_EVENTS events in a row are ahead and
   most of them agree (they are as far ahead, give or take AHEAD_US), or all events of AGREE_SECONDS, at least two: then
   the host's clock is fast or the local clock is slow, and neither may stop the stream. Scattered times do not agree.
   The skew is how far those that agree are ahead; times up to it no longer wait.
2. Once as many events in a row are less far ahead than the skew, the skew becomes theirs, and a position ahead of it
   goes back to theirs.

`plausible_us` is the position without rule 1: the newest time that agrees with the local clock
(docs/decisions/0065-plausible-times.md).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core.clock import now_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = structlog.get_logger(__name__)

#: A clock with NTP is wrong by milliseconds; hosts differ by some seconds.
AHEAD_US: Final = 120_000_000
#: This many events in a row that agree, or all events of this many seconds, are not a glitch.
AGREE_EVENTS: Final = 100
AGREE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Event:
    """An event: how far it is ahead of the local clock, its time (microseconds), and when it came (seconds)."""

    ahead_us: int
    time_us: int
    came: float


@dataclass(slots=True)
class _Run:
    """The latest AGREE_EVENTS events in a row that are on the same side of the skew."""

    events: deque[_Event] = field(default_factory=lambda: deque(maxlen=AGREE_EVENTS))

    def is_long(self) -> bool:
        """Whether there are enough events, or they came for long enough."""
        return len(self.events) == AGREE_EVENTS or _lasts(self.events)

    def near_the_last(self) -> list[_Event]:
        """The events as far ahead as the last one, give or take AHEAD_US."""
        return [event for event in self.events if _near(event, self.events[-1])]

    def agrees(self) -> bool:
        """Whether most of the events are as far ahead as the last one, or all of the last AGREE_SECONDS are."""
        last = self.events[-1]
        if len(self.events) == AGREE_EVENTS and 2 * len(self.near_the_last()) > AGREE_EVENTS:
            return True
        return _lasts(list(takewhile(lambda event: _near(event, last), reversed(self.events))))


def _near(event: _Event, other: _Event) -> bool:
    return abs(event.ahead_us - other.ahead_us) <= AHEAD_US


def _lasts(events: Sequence[_Event]) -> bool:
    return len(events) > 1 and abs(events[-1].came - events[0].came) >= AGREE_SECONDS


class Position:
    """The position of the stream. `now_us` is the local clock; `now` of the methods is a monotonic one, in seconds."""

    def __init__(self, clock: Callable[[], int] = now_us, *, plausible_us: int = 0) -> None:
        self._clock = clock
        #: Where a reconnect and a checkpoint resume, unix microseconds; 0 before the first event.
        self.us = 0
        #: The newest received time that agrees with the local clock; at the start, the newest durable time.
        self.plausible_us = plausible_us
        #: How far ahead of the local clock events may be, in addition to AHEAD_US.
        self.skew_us = 0
        self._ahead = _Run()
        self._back = _Run()
        self._next_plausible_us = 0

    def advance(self, times: Sequence[int], now: float) -> None:
        """Add the times of events, in the order of the stream; unix microseconds, none of them 0."""
        local_us = self._clock()
        newest = max(times)
        if not self.skew_us and newest <= local_us + AHEAD_US:
            self.us = max(self.us, newest)
            self.plausible_us = max(self.plausible_us, newest)
            self._ahead.events.clear()
            return
        for time_us in times:
            self._take(time_us, local_us, now)
        self._ripen(local_us)

    def believes(self, time_us: int) -> bool:
        """Whether the time counts at once and need not wait."""
        return time_us <= self._clock() + self.skew_us + AHEAD_US

    def begin_again(self, time_us: int) -> None:
        """The cursor was ahead of the host: from now on the host's own time counts."""
        ahead_us = time_us - self._clock()
        self.us = time_us
        self.skew_us = ahead_us if ahead_us > AHEAD_US else 0
        self._ahead, self._back, self._next_plausible_us = _Run(), _Run(), 0
        if not self.skew_us:
            self.plausible_us = time_us

    def _take(self, time_us: int, local_us: int, now: float) -> None:
        ahead_us = time_us - local_us
        if ahead_us <= AHEAD_US:
            self.plausible_us = max(self.plausible_us, time_us)
        if ahead_us > self.skew_us + AHEAD_US:
            self._ahead.events.append(_Event(ahead_us, time_us, now))
            if self._ahead.agrees():
                self._believe()
            return
        self._ahead.events.clear()
        self.us = max(self.us, time_us)
        if not self.skew_us or ahead_us >= self.skew_us - AHEAD_US:
            self._back.events.clear()
            return
        self._back.events.append(_Event(ahead_us, time_us, now))
        if self._back.is_long():
            self._come_back(local_us)

    def _believe(self) -> None:
        """The events that agree are ahead, so the smallest distance of them becomes the skew."""
        agreeing, self._ahead, self._back = self._ahead.near_the_last(), _Run(), _Run()
        before, self.skew_us = self.skew_us, min(event.ahead_us for event in agreeing)
        self.us = max(self.us, *(e.time_us for e in agreeing if e.ahead_us <= self.skew_us + AHEAD_US))
        if not before:
            log.warning(
                "events are ahead of this machine's clock; the stream goes on. Set the clock (NTP); if it is right, the"
                " clock of the Jetstream host is fast",
                ahead_s=self.skew_us // 1_000_000,
            )

    def _come_back(self, local_us: int) -> None:
        """No event of the run is as far ahead as the skew, so reduce it."""
        run, self._back = self._back, _Run()
        newest_us = max(event.ahead_us for event in run.events)
        self.skew_us = newest_us if newest_us > AHEAD_US else 0
        if self.us > local_us + self.skew_us + AHEAD_US:
            self.us = max(event.time_us for event in run.events)
        if not self.skew_us:
            self.plausible_us, self._next_plausible_us = self.us, 0
            log.warning("events are at the time of this machine's clock again")

    def _ripen(self, local_us: int) -> None:
        """With a skew, a time ahead of the local clock becomes plausible once that clock has reached it."""
        if not self.skew_us or self._next_plausible_us > local_us + AHEAD_US:
            return
        self.plausible_us = max(self.plausible_us, self._next_plausible_us)
        self._next_plausible_us = self.us
