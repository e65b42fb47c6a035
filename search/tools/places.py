"""How much of a kind of work runs at once in this process, in all and for one caller."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from atsite.core.errors import AtsiteError

if TYPE_CHECKING:
    from collections.abc import Callable


class NoPlace(AtsiteError):
    """Too much of this runs now; the message is a sentence for the caller."""


class Places:
    """At most `at_once()` places; one caller has at most half of them, and at least one. Thread-safe."""

    def __init__(self, at_once: Callable[[], int]) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, caller: str) -> Callable[[], None]:
        """Take a place; returns what gives it back, once however often it is called. Raises NoPlace."""
        most = self._at_once()
        with self._lock:
            if self._taken.total() >= most:
                raise NoPlace("too many callers use this tool now, try again in a minute")
            if self._taken[caller] >= max(1, most // 2):
                raise NoPlace("you use this tool already: wait until your other calls have ended")
            self._taken[caller] += 1
        is_given_back = threading.Event()

        def give_back() -> None:
            with self._lock:
                if not is_given_back.is_set():
                    is_given_back.set()
                    self._taken[caller] -= 1
                    self._taken += Counter()  # without those who have none

        return give_back
