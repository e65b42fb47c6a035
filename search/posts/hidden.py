"""Which matches are left out of an answer: blocked posts and authors, inactive authors, and dead rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from indexer.index.account_status import UNKNOWN, account_statuses
from indexer.index.posts import live_posts
from indexer.index.query import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexer.index.posts.post_key import PostKey
    from indexer.index.query.matches import Match
    from labels.blocks import Blocks

#: Actors asked about at once: bounds the statement, whatever a refill brings.
ACTORS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Hidden:
    """What a caller must not see. `blocks`: those of the site."""

    blocks: Blocks

    def shown(self, posts: Iterable[Match]) -> Iterator[PostKey]:
        """Those that may be shown, in order; authors are looked up only as far as the caller reads."""
        remaining = (post for post in posts if post.key.uri not in self.blocks)
        while chunk := list(islice(remaining, ACTORS_AT_ONCE)):
            authors = account_statuses({post.did for post in chunk}, limits=matches.SEARCH)
            for post in chunk:
                if authors.get(post.did, UNKNOWN).shows(post.version):
                    yield post.key

    def alive(self, posts: Iterable[PostKey]) -> Iterator[PostKey]:
        """The same for posts of a stored list: also without those that were deleted since."""
        remaining = [post for post in posts if post.uri not in self.blocks]
        living = live_posts.alive(remaining, limits=matches.SEARCH)
        return (post for post in remaining if post in living)
