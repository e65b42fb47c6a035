"""Detects a stream that cannot be read, as opposed to one with single invalid events. Pure.

If over half of WINDOW frames in a row become dead letters, the stream uses another protocol, a compression that WS_URL
requests, or a version of the network that this decoder does not know. Continuing would turn all events into dead
letters and move the checkpoint past them.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from atsite.core.errors import AtsiteError
from indexer.index.events import Dead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.events import Decoded

#: The number of frames that are checked, and how many of them may be dead. On the real network one in a million is.
WINDOW: Final = 1000
DEAD_MAX: Final = WINDOW // 2


class StreamUnreadable(AtsiteError):
    """Over half of the frames become dead letters."""


class DeadShare:
    """Counts the dead among the last WINDOW frames."""

    def __init__(self) -> None:
        self._frames = 0
        #: The number and reason of each dead frame among the last WINDOW.
        self._dead: deque[tuple[int, str]] = deque()

    def take(self, events: Sequence[Decoded]) -> None:
        """Add decoded frames, in their order. Raises StreamUnreadable."""
        for number, event in enumerate(events, self._frames + 1):
            if isinstance(event, Dead):
                self._dead.append((number, str(event.reason)))
            while self._dead and self._dead[0][0] <= number - WINDOW:
                self._dead.popleft()
            if number >= WINDOW and len(self._dead) > DEAD_MAX:
                raise StreamUnreadable(self._reason())
        self._frames += len(events)

    def pass_by(self, frames: int) -> None:
        """Add this many frames without dead ones. Raises StreamUnreadable."""
        if self._frames < WINDOW <= self._frames + frames and len(self._dead) > DEAD_MAX:
            raise StreamUnreadable(self._reason())  # the first window is full only now
        self._frames += frames
        while self._dead and self._dead[0][0] <= self._frames - WINDOW:
            self._dead.popleft()

    def _reason(self) -> str:
        reasons = Counter(reason for _, reason in self._dead)
        named = ", ".join(f"{reason} ({number})" for reason, number in reasons.most_common(3))
        return (
            f"{len(self._dead)} of the last {WINDOW} frames could not be read: {named}. The checkpoint leaves out what"
            " is not stored yet. Check that WS_URL is the /subscribe address of a Jetstream v1 host, without `compress`"
            " in its query. The stored frames are listed in the admin under Dead letters"
        )
