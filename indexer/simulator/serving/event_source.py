"""The event source of a simulated Jetstream: gives lines in batches, and how long to wait for the next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TIME_US: Final = re.compile(rb'"time_us":\s*(\d{1,19})')


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines to send now (no newline), then the seconds to wait before asking again.

    `behind` counts the due events that are not among the lines. It is 0 while a client replays the past, at the rate of
    its socket; a live client that falls too far behind is disconnected.
    """

    lines: Sequence[bytes]
    wait: float = 0.0
    behind: int = 0


class EventSource(Protocol):
    """A stream of events that any number of clients read independently."""

    def start(self, now: int) -> None:
        """The server opens at `now`, unix microseconds; called once, before any `stream`."""

    def stream(self, cursor: int | None, clock: Callable[[], int]) -> Iterator[Batch]:
        """Batches without end: from the first event whose `time_us` is at or after `cursor`, or the live tail.

        Each step does a bounded amount of work and never sleeps.
        """


def time_us_of(line: bytes) -> int | None:
    """The `time_us` of an event line, found without parsing its JSON; None if it has none."""
    found = _TIME_US.search(line)
    return None if found is None else int(found[1])
