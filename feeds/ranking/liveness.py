"""Which posts may be shown, remembered for a moment: the readers of a popular page ask for the same posts all the time.

What is remembered is at most SECONDS old (docs/decisions/0032-liveness.md); the first who asks past half of that looks
it up again, while the others go on with what is known.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from atsite.core.ttl_cache import TtlCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Set

    from feeds.ranking.feed import PostKey

    Call = Callable[[Callable[[], Set[PostKey]]], Set[PostKey]]

#: The index itself learns of a delete up to a second after it was sent (indexer.stream.batch.Limits.age).
SECONDS: Final = 1.0
#: Posts remembered, 200 bytes each: a second of a hundred different pages.
SIZE: Final = 20_000


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
        self._clock = clock
        self._lives: TtlCache[PostKey, bool] = TtlCache(
            size=SIZE, seconds=seconds, refresh_after=seconds / 2, clock=clock
        )

    def living(self, posts: Collection[PostKey], call: Call) -> Set[PostKey]:
        """Those of `posts` that may be shown; `call` runs a look-up, where one is needed.

        Raises what `call` raises; of that nothing is remembered.
        """
        now = self._clock()  # before the look-up: what is remembered is as old as the question
        known = {post: lives for post in posts if (lives := self._lives.peek(post, at=now)) is not None}
        living = {post for post, lives in known.items() if lives}
        asked = [post for post in posts if post not in known]
        if asked:
            found = call(lambda: self._look_up(asked))
            for post in asked:
                self._lives.put(post, post in found, at=now)
            living |= found
        return living
