"""Which posts may be shown, remembered for a moment: the readers of a popular page ask for the same posts all the time.

What is remembered is at most SECONDS old (docs/decisions/0032-liveness.md); the first who asks past half of that looks
it up anew, while the others go on with what is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Set

    from feeds.ranking.feed import PostKey

    Call = Callable[[Callable[[], Set[PostKey]]], Set[PostKey]]

#: The index itself learns of a delete up to a second after it was sent (indexer.stream.batch.Limits.age).
SECONDS: Final = 1.0
#: Posts remembered, 200 bytes each: a second of a hundred different pages.
SIZE: Final = 20_000


@dataclass(slots=True)
class _Known:
    lives: bool
    #: When somebody looks again (monotonic), and when nobody believes it any more.
    renew_at: float
    ends_at: float


class Liveness:
    """What `look_up` said of posts. Thread-safe. With `seconds` 0 nothing is remembered."""

    def __init__(
        self,
        look_up: Callable[[Collection[PostKey]], Set[PostKey]],
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._look_up = look_up
        self._seconds = seconds
        self._clock = clock
        self._known: dict[PostKey, _Known] = {}

    def living(self, posts: Collection[PostKey], call: Call) -> Set[PostKey]:
        """Those of `posts` that may be shown; `call` runs a look-up, where one is needed.

        Raises what `call` raises; of that nothing is remembered.
        """
        now = self._clock()
        living: set[PostKey] = set()
        asked: list[PostKey] = []
        for post in posts:
            known = self._known.get(post)
            if known is None or now >= known.ends_at:
                asked.append(post)
            elif now >= known.renew_at:
                known.renew_at = known.ends_at
                asked.append(post)
            elif known.lives:
                living.add(post)
        if asked:
            found = call(lambda: self._look_up(asked))
            self._remember(asked, found, now)
            living |= found
        return living

    def _remember(self, asked: Collection[PostKey], found: Set[PostKey], now: float) -> None:
        if not self._seconds:
            return
        if len(self._known) > SIZE:
            self._known = {}  # cheaper than to look for what has ended; it is asked for again
        renew_at, ends_at = now + self._seconds / 2, now + self._seconds
        self._known.update((post, _Known(post in found, renew_at, ends_at)) for post in asked)
