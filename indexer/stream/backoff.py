"""The pause before the stream connects again. PURE."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds to wait before a new attempt: at first, and at most (contracts D4).
BACKOFF_FIRST: Final = 0.25
BACKOFF_MAX: Final = 30.0


class Backoff:
    """The pause before the next attempt: doubles each time, with jitter; reset after progress."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._next = BACKOFF_FIRST

    def take(self) -> float:
        """Seconds to wait now: between half of the step and all of it, so that clients do not all reconnect at once."""
        step, self._next = self._next, min(self._next * 2, BACKOFF_MAX)
        return step * (0.5 + self._chance() / 2)

    def reset(self) -> None:
        self._next = BACKOFF_FIRST
