"""The simulated network as an event source: its past at any speed, then live events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from indexer.simulator.network.malformed_frames import malformed
from indexer.simulator.network.timeline import HOUR, SECOND
from indexer.simulator.serving.event_source import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer.simulator.network.events import Network

# About 15 ms of work, so that other clients, pings and signals never wait longer.
_CHUNK: Final = 500
# The least time between two batches of live events, in seconds.
_WAIT_MIN: Final = 0.01
# How long the real host keeps events, so that a stopped consumer can resume without a gap.
LOOKBACK_HOURS: Final = 72
_TEN_THOUSAND: Final = 10_000


class NetworkSource:
    """Serves a network; `sparse` leaves out its founding: its identities, profiles and first follows are never sent.

    `malformed_share` of every 10,000 events are followed by a malformed frame.
    """

    def __init__(
        self,
        network: Network,
        *,
        sparse: bool = False,
        malformed_share: int = 0,
        lookback_hours: int = LOOKBACK_HOURS,
    ) -> None:
        self._network = network
        self._oldest = network.timeline.founding if sparse else 0
        self._malformed_share = malformed_share
        self._lookback_us = lookback_hours * HOUR

    def start(self, now: int) -> None:
        """Does nothing: the network has its own timetable."""

    def stream(self, cursor: int | None, clock: Callable[[], int]) -> Iterator[Batch]:
        """As the real host: a cursor that is too old is clamped, one in the future means the live tail."""
        timeline = self._network.timeline
        number = self._first(cursor, clock())
        live = False
        while True:
            now = clock()
            due = timeline.first_at(now + 1)
            if number >= due:
                live = True
                yield Batch((), max(_WAIT_MIN, (timeline.time_of(number) - now) / SECOND))
                continue
            end = min(due, number + _CHUNK)
            yield Batch(self._lines(number, end), behind=due - end if live else 0)
            number = end

    def _first(self, cursor: int | None, now: int) -> int:
        tail = max(self._network.timeline.first_at(now + 1), self._oldest)
        if cursor is None or cursor > now:
            return tail
        wanted = self._network.first_from(max(cursor, now - self._lookback_us))
        return max(wanted, self._oldest)

    def _lines(self, first: int, end: int) -> list[bytes]:
        event = self._network.event
        if not self._malformed_share:
            return [event(number) for number in range(first, end)]
        lines: list[bytes] = []
        for number in range(first, end):
            lines.append(event(number))
            luck, choice = self._network.luck(number)
            if luck * _TEN_THOUSAND >> 16 < self._malformed_share:
                lines.append(malformed(lines[-1], choice))
        return lines
