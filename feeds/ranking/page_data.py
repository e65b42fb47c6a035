"""What feeds are made from; one for each process, shared by its feeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time_ns
from typing import TYPE_CHECKING, Any, TypeVar

from atsite.core.published.errors import Undecidable
from feeds.ranking import computed, metrics, queries
from feeds.ranking.computed import ComputedRankings
from feeds.ranking.feed import FeedUnavailable
from feeds.ranking.generations import Generations
from feeds.ranking.liveness import Liveness
from feeds.ranking.store_timeouts import StoreAway, StoreGuard
from labels.blocks import Blocks, blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set

    from feeds.ranking.feed import Definition, PostKey

T = TypeVar("T")


def unix_micros() -> int:
    """Now."""
    return time_ns() // 1000


@dataclass(frozen=True)
class FeedData:
    """The stores, a clock, and which posts may be shown."""

    generations: Generations = field(default_factory=Generations)
    # Readers are gone after 5 s: a look-up of 2 s leaves room for everything else.
    lookups: StoreGuard = field(default_factory=lambda: StoreGuard("clickhouse", seconds=2, pause=1))
    computed: ComputedRankings = field(
        default_factory=lambda: ComputedRankings(
            StoreGuard("clickhouse-ranking", seconds=computed.BUDGET_SECONDS, pause=1)
        )
    )
    clock: Callable[[], int] = unix_micros
    #: Of posts that came from the index, and of posts that people named.
    alive: Liveness = field(default_factory=lambda: Liveness(queries.alive))
    alive_or_unknown: Liveness = field(default_factory=lambda: Liveness(queries.alive_or_unknown))
    #: Feed rkey -> what people block there.
    blocks: Callable[[str], Blocks] = blocked
    _memories: dict[type, Any] = field(default_factory=dict)

    def memory(self, what: type[T]) -> T:
        """What a kind keeps for all its feeds in this process: the one `what`, made when it is first asked for."""
        kept: T | None = self._memories.get(what)
        return self._memories.setdefault(what, what()) if kept is None else kept

    def listed(self, definition: Definition, posts: Iterable[PostKey]) -> Set[PostKey]:
        """Those of `posts`, which came from the index, that the list of the feed may show.

        With ClickHouse away deleted posts stay in: the AppView leaves them out as well, and an answer is better than
        none. Raises FeedUnavailable while nobody can tell what is blocked.
        """
        unblocked = [post for post in self.unblocked(definition, posts) if post != definition.pinned]
        return self._looked_up(unblocked, self.alive)

    def named(self, definition: Definition, posts: Iterable[PostKey]) -> Set[PostKey]:
        """Those of `posts`, which people named, that may be shown: the index need not know them. As `listed`."""
        return self._looked_up(self.unblocked(definition, posts), self.alive_or_unknown)

    def unblocked(self, definition: Definition, posts: Iterable[PostKey]) -> list[PostKey]:
        """Those that the feed does not leave out. Raises FeedUnavailable."""
        blocks = self.blocks_of(definition)
        return [post for post in posts if post.uri not in blocks]

    def blocks_of(self, definition: Definition) -> Blocks:
        """What the feed leaves out. Raises FeedUnavailable."""
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
