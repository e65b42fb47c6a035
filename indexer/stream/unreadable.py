"""Telling a source that cannot be read from one that sends an odd event now and then. Pure.

A source of which over half of WINDOW frames in a row become dead letters speaks something else: another protocol, a
compression that was asked for in WS_URL, or a version of the network that this decoder does not know. To go on would
turn the network into dead letters, with the checkpoint behind them.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from atsite.core.errors import AtsiteError
from indexer.index.events import Dead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.events import Decoded

#: Frames in a row that are judged, and how many of them may be dead. Of the network's, one in a million is.
WINDOW: Final = 1000
DEAD_MAX: Final = WINDOW // 2


class StreamUnreadable(AtsiteError):
    """Over half of what the source sends becomes dead letters."""


class DeadShare:
    """Counts the dead among the last WINDOW frames."""

    def __init__(self) -> None:
        self._frames = 0
        #: The numbers of the dead frames among the last WINDOW, and why each is dead.
        self._dead: deque[tuple[int, str]] = deque()

    def take(self, events: Sequence[Decoded]) -> None:
        """Take in what became of frames, in their order. Raises StreamUnreadable."""
        for number, event in enumerate(events, self._frames + 1):
            if isinstance(event, Dead):
                self._dead.append((number, str(event.reason)))
            while self._dead and self._dead[0][0] <= number - WINDOW:
                self._dead.popleft()
            if number >= WINDOW and len(self._dead) > DEAD_MAX:
                raise StreamUnreadable(self._reason())
        self._frames += len(events)

    def pass_by(self, frames: int) -> None:
        """Take in that many frames of which none is dead. Raises StreamUnreadable."""
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
