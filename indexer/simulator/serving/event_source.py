"""What a simulated Jetstream sends: a source gives lines in batches, and says how long to wait for the next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_TIME_US: Final = re.compile(rb'"time_us":\s*(\d{1,19})')
# How long a source without a timetable lets its reader sleep: short, as tests wait for it.
_POLL_SECONDS: Final = 0.01
_MEMORY_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines to send now (no newline), then the seconds to wait before asking again.

    `behind` counts the events that are due already and not among the lines. It is 0 while a client replays the past,
    which goes as fast as its socket takes it; once it is live, falling too far behind costs it the connection.
    """

    lines: Sequence[bytes]
    wait: float = 0.0
    behind: int = 0


class EventSource(Protocol):
    """A stream of events that any number of clients read, each at its own place."""

    def start(self, now: int) -> None:
        """The server opens at `now`, unix microseconds; called once, before any `stream`."""

    def stream(self, cursor: int | None, clock: Callable[[], int]) -> Iterator[Batch]:
        """Batches without end: from the first event whose `time_us` is at or after `cursor`, or the live tail.

        Each step does a bounded amount of work and never sleeps.
        """


def time_us_of(line: bytes) -> int | None:
    """The `time_us` of an event line, found without reading its JSON; None where it has none."""
    found = _TIME_US.search(line)
    return None if found is None else int(found[1])


class MemorySource:
    """Events a test wrote down; more can be appended while clients are connected, and come live."""

    def __init__(self, lines: Iterable[bytes] = ()) -> None:
        self.lines = list(lines)

    def append(self, line: bytes) -> None:
        """Send one more event to every listener."""
        self.lines.append(line)

    def start(self, now: int) -> None:
        """Nothing to prepare: these events have no timetable."""

    def stream(self, cursor: int | None, clock: Callable[[], int]) -> Iterator[Batch]:
        """From the first line at or after the cursor; without one, or beyond the last line, what is appended later."""
        position = len(self.lines)
        if cursor is not None:
            late = (index for index, line in enumerate(self.lines) if (time_us_of(line) or 0) >= cursor)
            position = next(late, position)
        while True:
            lines = self.lines[position : position + _MEMORY_BATCH]
            position += len(lines)
            yield Batch(lines, 0.0 if lines else _POLL_SECONDS)
