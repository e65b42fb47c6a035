"""Pages of newest-first lists: entries are read below a key. PURE, except for the source."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Protocol, TypeVar

from feeds.ranking.cursor import Newest
from feeds.ranking.feed import FeedPage, FeedUnavailable, PostKey
from feeds.ranking.ranking import SPARE
from indexer.index.page_refill import NothingToShow, fill

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from feeds.ranking.feed import SkeletonPost
    from indexer.index.page_refill import Candidates


class Keyed(Protocol):
    """An entry with a position in the list."""

    @property
    def key(self) -> PostKey: ...


E = TypeVar("E", bound=Keyed)


class EntrySource(Protocol[E]):
    """Where the entries come from."""

    def below(self, key: PostKey, limit: int) -> Candidates[E, PostKey]:
        """The newest `limit` entries below `key`, or more, newest first, each key once; and where the list goes on."""

    def shown(self, entries: Sequence[E]) -> Mapping[E, SkeletonPost]:
        """Those of `entries` that may be shown, with what to show."""


def page(source: EntrySource[E], below: PostKey, limit: int) -> FeedPage:
    """At most `limit` entries below a key (indexer.index.page_refill).

    Raises FeedUnavailable if none of many entries may be shown and the list goes on.
    """

    def shown(entries: Sequence[E]) -> Iterable[tuple[PostKey, SkeletonPost]]:
        posts = source.shown(entries)
        return ((entry.key, posts[entry]) for entry in entries if entry in posts)

    try:
        filled = fill(below, limit, read=source.below, shown=shown, position=itemgetter(0), spare=SPARE)
    except NothingToShow as error:
        raise FeedUnavailable("none of the newest posts of this feed can be shown") from error
    cursor = None if filled.next is None else Newest(filled.next.rkey, filled.next.did)
    return FeedPage(tuple(post for _, post in filled.entries), cursor)
