"""Pages of newest-first lists: entries are read below a key, those that may not be shown are left out, and the page is
filled from further down. PURE, apart from what the source does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from feeds.ranking.cursor import Newest
from feeds.ranking.feed import FeedPage, FeedUnavailable, PostKey
from feeds.ranking.ranking import REFILL_FACTOR, REFILLS, SPARE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.ranking.feed import SkeletonPost


class Keyed(Protocol):
    """Something that has a place in the list."""

    @property
    def key(self) -> PostKey: ...


E = TypeVar("E", bound=Keyed)


class Source(Protocol[E]):
    """Where the entries come from."""

    def below(self, key: PostKey, limit: int) -> Sequence[E]:
        """The newest `limit` entries below `key`, newest first, each key once; fewer: there are no more."""

    def shown(self, entries: Sequence[E]) -> Mapping[E, SkeletonPost]:
        """Those of `entries` that may be shown, and as what."""


def page(source: Source[E], below: PostKey, limit: int) -> FeedPage:
    """At most `limit` entries below a key.

    A page is full, or the end, or short after REFILLS readings more. Raises FeedUnavailable where even those found
    nothing and the list goes on: an empty page would end the walk.
    """
    found: list[tuple[E, SkeletonPost]] = []
    size = limit + 1 + SPARE
    for _ in range(1 + REFILLS):
        entries = source.below(below, size)
        shown = source.shown(entries) if entries else {}
        found += [(entry, shown[entry]) for entry in entries if entry in shown]
        if len(found) > limit:  # the one too many proves that there is a next page
            return _page(found[:limit], found[limit - 1][0].key)
        if len(entries) < size:
            return _page(found, None)
        below = entries[-1].key
        size *= REFILL_FACTOR
    if not found:
        raise FeedUnavailable("the newest posts of this feed are all ones that may not be shown")
    return _page(found, below)


def _page(found: Sequence[tuple[E, SkeletonPost]], last: PostKey | None) -> FeedPage:
    cursor = None if last is None else Newest(last.rkey, last.did)
    return FeedPage(tuple(post for _, post in found), cursor)
