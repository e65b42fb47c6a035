"""How far the stream is, judged against this machine's clock. Pure; both clocks are parameters.

A position is what a reconnect and a checkpoint go on from, so one event whose time lies far ahead must not become one:
everything up to that time would never be asked for. The largest time counts, with one exception:

1. A time of more than AHEAD_US ahead of the local clock waits. It counts once AGREE_EVENTS events in a row, or the
   events of AGREE_SECONDS (two at least), all lie ahead: then the whole host is ahead, or the local clock is slow, and
   neither may stop the stream. How far they all lie ahead is the skew, and up to it no time waits any more.
2. Once as many events in a row lie less far ahead than the skew, the skew is theirs, and a position that lies ahead of
   it goes back to theirs.

`plausible_us` is the position without rule 1: what the local clock bears out (docs/decisions/0065-plausible-times.md).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = structlog.get_logger(__name__)

#: A clock that is kept by NTP is off by milliseconds; hosts differ by some seconds.
AHEAD_US: Final = 120_000_000
#: So many events in a row that say the same, or the events of so many seconds, are no glitch.
AGREE_EVENTS: Final = 100
AGREE_SECONDS: Final = 60.0


def now_us() -> int:
    """Unix microseconds."""
    return time.time_ns() // 1_000


@dataclass(slots=True)
class _Run:
    """Events in a row that say the same: (how far ahead of the local clock, time_us) of each, microseconds."""

    since: float = 0.0
    events: list[tuple[int, int]] = field(default_factory=list)

    def add(self, ahead_us: int, time_us: int, now: float) -> bool:
        """Whether they are enough to be believed."""
        if not self.events:
            self.since = now
        self.events.append((ahead_us, time_us))
        return len(self.events) >= AGREE_EVENTS or (len(self.events) > 1 and now - self.since >= AGREE_SECONDS)


class Position:
    """How far the stream is. `now_us` is the local clock; `now` of the methods is a monotonic one, in seconds."""

    def __init__(self, clock: Callable[[], int] = now_us, *, plausible_us: int = 0) -> None:
        self._clock = clock
        #: What a reconnect and a checkpoint go on from, unix microseconds; 0 before the first event.
        self.us = 0
        #: The newest time received that the local clock bears out; at the start what is known to be durable.
        self.plausible_us = plausible_us
        #: How far ahead of the local clock the events are allowed to be, beside AHEAD_US.
        self.skew_us = 0
        self._ahead = _Run()
        self._back = _Run()
        self._next_plausible_us = 0

    def advance(self, times: Sequence[int], now: float) -> None:
        """Take in the times of events, in the order of the stream; unix microseconds, none of them 0."""
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
        """Whether the time is none of those that wait."""
        return time_us <= self._clock() + self.skew_us + AHEAD_US

    def begin_again(self, time_us: int) -> None:
        """The cursor lay ahead of the host: from now on the host's own time counts."""
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
            if self._ahead.add(ahead_us, time_us, now):
                self._believe()
            return
        self._ahead = _Run()
        self.us = max(self.us, time_us)
        if not self.skew_us or ahead_us >= self.skew_us - AHEAD_US:
            self._back = _Run()
        elif self._back.add(ahead_us, time_us, now):
            self._come_back(local_us)

    def _believe(self) -> None:
        """All of them lie ahead, at least as far as the least of them does."""
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
        """None of them lies as far ahead as was believed."""
        run, self._back = self._back, _Run()
        newest_us = max(ahead_us for ahead_us, _ in run.events)
        self.skew_us = newest_us if newest_us > AHEAD_US else 0
        if self.us > local_us + self.skew_us + AHEAD_US:
            self.us = max(time_us for _, time_us in run.events)
        if not self.skew_us:
            self.plausible_us, self._next_plausible_us = self.us, 0
            log.warning("events are at the time of this machine's clock again")

    def _ripen(self, local_us: int) -> None:
        """With a skew, what was received ahead of the local clock is borne out once that clock has come so far."""
        if not self.skew_us or self._next_plausible_us > local_us + AHEAD_US:
            return
        self.plausible_us = max(self.plausible_us, self._next_plausible_us)
        self._next_plausible_us = self.us
