"""A store that failed is left alone for a moment, so that one that hangs holds up one caller and not all."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class CircuitBreaker:
    """Whether one store may be asked. Thread-safe.

    After a failure it may not for `pause` seconds; then one caller tries it, and the others go on without it until
    that one was answered, or for `trial` seconds (as long as a call may take) and another pause.
    """

    def __init__(self, *, pause: float, trial: float, clock: Callable[[], float] = monotonic) -> None:
        self._pause = pause
        self._trial = trial
        self._clock = clock
        self._lock = threading.Lock()
        #: When it may be tried again; 0: it is not known to be away.
        self._away_until = 0.0

    def admits(self) -> bool:
        """Whether this caller may ask. Each one that may says how it went: `succeeded` or `failed`."""
        if not self._away_until:
            return True
        with self._lock:
            now = self._clock()
            if now < self._away_until:
                return False
            if self._away_until:
                self._away_until = now + self._trial + self._pause
            return True

    def succeeded(self) -> None:
        """The store answered."""
        if self._away_until:
            with self._lock:
                self._away_until = 0.0

    def failed(self) -> bool:
        """The store did not answer. Whether that is new: it was not known to be away."""
        with self._lock:
            new = not self._away_until
            self._away_until = self._clock() + self._pause
        return new
