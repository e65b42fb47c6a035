"""A short-lived cache of which posts may be shown: readers of a popular page ask for the same posts all the time.

An entry is at most SECONDS old (docs/decisions/0032-liveness.md). The first caller after half of that refreshes it,
while the others use the cached entry.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from atsite.core.ttl_cache import TtlCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Set

    from feeds.ranking.feed import PostKey

    Call = Callable[[Callable[[], Set[PostKey]]], Set[PostKey]]

#: With the life of a finished page (feeds.serving.ready_pages) a post disappears within a second. The index itself
#: learns of a delete up to a second after it was sent (indexer.stream.batch.Limits.age).
SECONDS: Final = 0.5
#: Cached posts, 200 bytes each: one second of a hundred different pages.
SIZE: Final = 20_000


class Liveness:
    """A cache of `look_up`. Thread-safe. `seconds` 0: nothing is cached."""

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
        """Those of `posts` that may be shown; `call` runs a look-up if one is needed.

        Raises what `call` raises; nothing is cached then.
        """
        now = self._clock()  # before the look-up: an entry is as old as the question
        known = {post: lives for post in posts if (lives := self._lives.peek(post, at=now)) is not None}
        living = {post for post, lives in known.items() if lives}
        asked = [post for post in posts if post not in known]
        if asked:
            found = call(lambda: self._look_up(asked))
            for post in asked:
                self._lives.put(post, post in found, at=now)
            living |= found
        return living
