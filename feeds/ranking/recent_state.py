"""What was so a moment ago: for what decides how an answer is made, and never what the answer is."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

V = TypeVar("V")

#: What changes by orders of magnitude within this is not worth a question each time.
SECONDS: Final = 10.0


class Lately(Generic[V]):
    """Values by key; their number must be bounded by itself. Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._known: dict[Hashable, tuple[float, V]] = {}

    def get(self, key: Hashable, ask: Callable[[], V]) -> V:
        """The value of `key`, at most SECONDS old. Raises what `ask` raises."""
        now = self._clock()
        known = self._known.get(key)
        if known is None or now >= known[0] + SECONDS:
            known = self._known[key] = (now, ask())
        return known[1]
