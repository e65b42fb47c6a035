"""The position of the stream, checked against this machine's clock. Pure; both clocks are parameters.

A reconnect and a checkpoint resume from the position. So a single event with a time far ahead must not become the
position: events up to that time would never be requested. The largest time counts, with one exception:

1. A time more than AHEAD_US ahead of the local clock waits. It counts once AGREE_EVENTS events in a row, or all events
   of AGREE_SECONDS (at least two), are ahead by the same, give or take AHEAD_US: then the host's clock is fast or the
   local clock is slow, and neither may stop the stream. Times that are scattered ahead agree on nothing. The skew is
   how far all of them are ahead; times up to it no longer wait.
2. Once as many events in a row are less far ahead than the skew, the skew becomes theirs, and a position ahead of it
   goes back to theirs.

`plausible_us` is the position without rule 1: the newest time that agrees with the local clock
(docs/decisions/0065-plausible-times.md).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = structlog.get_logger(__name__)

#: A clock with NTP is wrong by milliseconds; hosts differ by some seconds.
AHEAD_US: Final = 120_000_000
#: This many events in a row that agree, or all events of this many seconds, are not a glitch.
AGREE_EVENTS: Final = 100
AGREE_SECONDS: Final = 60.0


def now_us() -> int:
    """Unix microseconds."""
    return time.time_ns() // 1_000


@dataclass(slots=True)
class _Run:
    """Events in a row that agree: (how far ahead of the local clock, time_us) of each, microseconds."""

    since: float = 0.0
    events: list[tuple[int, int]] = field(default_factory=list)

    def add(self, ahead_us: int, time_us: int, now: float, *, apart_us: int | None = None) -> bool:
        """Add an event; returns whether the run is long enough to be believed.

        An event that is more than `apart_us` from the first one of the run begins another run.
        """
        if apart_us is not None and self.events and abs(ahead_us - self.events[0][0]) > apart_us:
            self.events = []
        if not self.events:
            self.since = now
        self.events.append((ahead_us, time_us))
        return len(self.events) >= AGREE_EVENTS or (len(self.events) > 1 and now - self.since >= AGREE_SECONDS)


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
            if self._ahead.events:
                self._ahead = _Run()
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
            if self._ahead.add(ahead_us, time_us, now, apart_us=AHEAD_US):
                self._believe()
            return
        self._ahead = _Run()
        self.us = max(self.us, time_us)
        if not self.skew_us or ahead_us >= self.skew_us - AHEAD_US:
            self._back = _Run()
        elif self._back.add(ahead_us, time_us, now):
            self._come_back(local_us)

    def _believe(self) -> None:
        """All events of the run are ahead, so the smallest distance becomes the skew."""
        run, self._ahead, self._back = self._ahead, _Run(), _Run()
        before, self.skew_us = self.skew_us, min(ahead_us for ahead_us, _ in run.events)
        self.us = max(self.us, *(time_us for ahead_us, time_us in run.events if ahead_us <= self.skew_us + AHEAD_US))
        if not before:
            log.warning(
                "events are ahead of this machine's clock; the stream goes on. Set the clock (NTP); if it is right, the"
                " clock of the Jetstream host is fast",
                ahead_s=self.skew_us // 1_000_000,
            )

    def _come_back(self, local_us: int) -> None:
        """No event of the run is as far ahead as the skew, so reduce it."""
        run, self._back = self._back, _Run()
        newest_us = max(ahead_us for ahead_us, _ in run.events)
        self.skew_us = newest_us if newest_us > AHEAD_US else 0
        if self.us > local_us + self.skew_us + AHEAD_US:
            self.us = max(time_us for _, time_us in run.events)
        if not self.skew_us:
            self.plausible_us, self._next_plausible_us = self.us, 0
            log.warning("events are at the time of this machine's clock again")

    def _ripen(self, local_us: int) -> None:
        """With a skew, a time ahead of the local clock becomes plausible once that clock has reached it."""
        if not self.skew_us or self._next_plausible_us > local_us + AHEAD_US:
            return
        self.plausible_us = max(self.plausible_us, self._next_plausible_us)
        self._next_plausible_us = self.us
