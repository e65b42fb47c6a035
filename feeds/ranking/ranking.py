"""Rankings and how pages are cut from them. PURE.

A ranking is a list in its final order. A page is read from a position on: posts that are not alive any more are left
out, and the page continues down the list until it is full, so no page is short because of deleted posts.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING, Final, Protocol, Self, runtime_checkable

import msgspec

from atsite.core.atproto.tid import micros_of_tid
from feeds.ranking.feed import Feed, FeedUnavailable
from feeds.ranking.packed_posts import PackedPosts
from indexer.index.page_refill import Candidates, NothingToShow, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence, Set

    from feeds.ranking.feed import PostKey

#: Entries of a stored ranking: 60 pages of 50, more than readers scroll.
SIZE_MAX: Final = 3000

#: Entries read beyond what the page needs, so that a few deleted ones need no second look-up.
SPARE: Final = 10


@dataclass(frozen=True, slots=True)
class RankedPost:
    """A post with its score at the moment of the ranking."""

    key: PostKey
    score: float

    @property
    def order(self) -> tuple[float, str, str]:
        """Ascending in rank: the best score first; of equal scores, the newest first (see `after`)."""
        return (self.score, self.key.rkey, self.key.did)


@dataclass(frozen=True, slots=True)
class Generation:
    """One immutable, stored ranking. `id` is the TID of the moment it was made."""

    id: str
    posts: Sequence[PostKey]

    @property
    def made_at(self) -> int:
        """Unix microseconds."""
        return micros_of_tid(self.id)

    def encode(self) -> bytes:
        """As stored: compressed JSON, `[id, ["did/rkey", …]]`."""
        return zlib.compress(msgspec.json.encode([self.id, [f"{post.did}/{post.rkey}" for post in self.posts]]), 1)

    @classmethod
    def decode(cls, stored: bytes) -> Self:
        """The reverse of `encode`; raises ValueError for anything else."""
        try:
            id, posts = msgspec.json.decode(zlib.decompress(stored), type=tuple[str, list[str]])
        except (zlib.error, msgspec.MsgspecError) as error:
            raise ValueError("not a stored generation") from error
        return cls(id, PackedPosts((rkey, did) for did, _, rkey in (post.partition("/") for post in posts)))

    def packed(self) -> Self:
        """The same in less memory."""
        return replace(self, posts=PackedPosts.of(self.posts))


@dataclass(frozen=True, slots=True)
class Cut:
    """The posts of one page, and the position after the last one; None at the end of the ranking."""

    posts: tuple[PostKey, ...]
    position: int | None


@runtime_checkable
class RankedFeed(Feed, Protocol):
    """A feed with an order that is computed from time to time, not for each page."""

    @property
    def refresh_seconds(self) -> int:
        """The age in seconds at which its generation is made again."""

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        """The ranking at the moment `now` (unix microseconds), best first, at most SIZE_MAX posts.

        Raises ClickHouseError (QueryTimedOut if it takes longer than `seconds`), and FeedUnavailable if its definition
        names what cannot be found.
        """


def cut(posts: Sequence[PostKey], position: int, limit: int, alive: Callable[[Sequence[PostKey]], Set[PostKey]]) -> Cut:
    """At most `limit` live posts from `position` on; `alive` returns the live ones of some posts, in one look-up.

    Raises FeedUnavailable if none of many is live (indexer.index.page_refill).
    """

    def read(start: int, size: int) -> Candidates[tuple[int, PostKey], int]:
        chunk = list(enumerate(posts[start : start + size], start + 1))
        return Candidates(chunk, start + len(chunk) if start + len(chunk) < len(posts) else None)

    def shown(entries: Sequence[tuple[int, PostKey]]) -> Iterable[tuple[int, PostKey]]:
        living = alive([post for _, post in entries])
        return (entry for entry in entries if entry[1] in living)

    try:
        filled = fill(position, limit, read=read, shown=shown, position=itemgetter(0), spare=SPARE)
    except NothingToShow as error:
        raise FeedUnavailable("too many posts of the stored ranking can no longer be shown") from error
    return Cut(tuple(post for _, post in filled.entries), filled.next)


def after(posts: Sequence[RankedPost], last: tuple[float, str, str]) -> int:
    """The position of the first post ranked below `last` (score, rkey, did), whether or not that is in the list."""
    ascending = [post.order for post in reversed(posts)]
    return len(posts) - bisect_left(ascending, last)
