"""Which matches are left out of an answer: blocked posts and authors, inactive authors, and dead rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from indexer.index.posts import live_posts
from indexer.index.query import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from indexer.index.posts.live_posts import PostVersion
    from indexer.index.posts.post_key import PostKey
    from labels.blocks import Blocks

#: Posts asked about at once: bounds the statement, whatever a refill brings.
POSTS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Hidden:
    """What a caller must not see. `blocks`: those of the site. `signed_in`: the caller has a viewer.

    Without one, accounts that ask not to be shown to people who are not signed in are left out.
    """

    blocks: Blocks
    signed_in: bool = True

    def shown(self, found: Iterable[PostVersion], *, first: int = POSTS_AT_ONCE) -> Iterator[PostKey]:
        """Those that may be shown, in order, each once; posts are looked up only as far as the caller reads.

        `found`: all versions of a post that were found follow each other. `first`: how many are looked up at first.
        """
        remaining = (each for each in found if each.key.uri not in self.blocks)
        last, size = None, first
        while chunk := list(islice(remaining, size)):
            for each in live_posts.current(chunk, limits=matches.SEARCH, signed_in=self.signed_in):
                if each.key != last:
                    last = each.key
                    yield last
            size = POSTS_AT_ONCE

    def alive(self, posts: Iterable[PostKey]) -> Iterator[PostKey]:
        """The same for posts of a stored list: also without those that were deleted since."""
        remaining = [post for post in posts if post.uri not in self.blocks]
        living = live_posts.alive(remaining, limits=matches.SEARCH, signed_in=self.signed_in)
        return (post for post in remaining if post in living)
