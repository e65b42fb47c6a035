"""Pauses calls to a store after a failure, so that a hanging store delays one caller and not all."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class CircuitBreaker:
    """Decides whether a store may be called. Thread-safe.

    After a failure it may not for `pause` seconds. Then one caller tries it; the others work without it until that call
    was answered, or for `trial` seconds (as long as a call may take) and another pause.
    """

    def __init__(self, *, pause: float, trial: float, clock: Callable[[], float] = monotonic) -> None:
        self._pause = pause
        self._trial = trial
        self._clock = clock
        self._lock = threading.Lock()
        #: When it may be tried again; 0: not known to be unavailable.
        self._away_until = 0.0

    def admits(self) -> bool:
        """Whether this caller may call the store. If so, it must report the result: `succeeded` or `failed`."""
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
        """The store did not answer. Returns whether this is new."""
        with self._lock:
            new = not self._away_until
            self._away_until = self._clock() + self._pause
        return new
