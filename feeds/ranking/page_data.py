"""What feeds make their pages from; one per process, shared by its feeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from atsite.core.clock import now_us
from atsite.core.copies.errors import Undecidable
from atsite.core.web.store_timeouts import StoreAway, StoreGuard
from feeds.ranking import computed, metrics, queries
from feeds.ranking.computed import ComputedRankings
from feeds.ranking.feed import FeedUnavailable
from feeds.ranking.generations import Generations
from feeds.ranking.liveness import Liveness
from labels.blocks import Blocks, blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set

    from feeds.ranking.feed import Definition, PostKey

T = TypeVar("T")


@dataclass(frozen=True)
class FeedData:
    """The stores, a clock, and which posts may be shown."""

    generations: Generations = field(default_factory=Generations)
    # Readers wait at most 5 s: a look-up of 2 s leaves room for everything else.
    lookups: StoreGuard = field(default_factory=lambda: StoreGuard("clickhouse", seconds=2, pause=1))
    computed: ComputedRankings = field(
        default_factory=lambda: ComputedRankings(
            StoreGuard("clickhouse-ranking", seconds=computed.BUDGET_SECONDS, pause=1)
        )
    )
    clock: Callable[[], int] = now_us
    #: For posts that came from the index, and for posts that people chose.
    alive: Liveness = field(default_factory=lambda: Liveness(queries.alive))
    alive_or_unknown: Liveness = field(default_factory=lambda: Liveness(queries.alive_or_unknown))
    #: Feed rkey -> its blocks.
    blocks: Callable[[str], Blocks] = blocked
    _memories: dict[type, Any] = field(default_factory=dict)

    def memory(self, what: type[T]) -> T:
        """What a kind keeps for all its feeds in this process: one `what`, made on first use."""
        kept: T | None = self._memories.get(what)
        return self._memories.setdefault(what, what()) if kept is None else kept

    def listed(self, definition: Definition, posts: Iterable[PostKey]) -> Set[PostKey]:
        """Those of `posts`, which came from the index, that the list of the feed may show.

        If ClickHouse is down, deleted posts stay in: the AppView leaves them out as well, and an answer is better than
        none. Raises FeedUnavailable if the blocks cannot be read.
        """
        unblocked = [post for post in self.unblocked(definition, posts) if post != definition.pinned]
        return self._looked_up(unblocked, self.alive)

    def named(self, definition: Definition, posts: Iterable[PostKey]) -> Set[PostKey]:
        """Those of `posts`, which people chose, that may be shown, also if they are not indexed; else as `listed`."""
        return self._looked_up(self.unblocked(definition, posts), self.alive_or_unknown)

    def unblocked(self, definition: Definition, posts: Iterable[PostKey]) -> list[PostKey]:
        """Those that are not blocked in the feed. Raises FeedUnavailable."""
        blocks = self.blocks_of(definition)
        return [post for post in posts if post.uri not in blocks]

    def blocks_of(self, definition: Definition) -> Blocks:
        """The blocks of the feed. Raises FeedUnavailable."""
        try:
            return self.blocks(definition.rkey)
        except Undecidable as error:
            raise FeedUnavailable("the blocks of this feed cannot be read now") from error

    def _looked_up(self, posts: list[PostKey], liveness: Liveness) -> Set[PostKey]:
        if not posts:
            return frozenset()
        try:
            return liveness.living(posts, self.lookups.call)
        except StoreAway:
            metrics.UNFILTERED.inc()
            return frozenset(posts)
