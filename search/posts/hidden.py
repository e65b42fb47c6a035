"""Which matches are left out of an answer: blocked posts and authors, inactive authors, and dead rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from indexer.index.account_status import UNKNOWN, account_statuses
from indexer.index.logged_out import hidden_from_logged_out
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
    """What a caller must not see. `blocks`: those of the site. `signed_in`: the caller has a viewer.

    Without one, accounts that ask not to be shown to people who are not signed in are left out.
    """

    blocks: Blocks
    signed_in: bool = True

    def shown(self, posts: Iterable[Match]) -> Iterator[PostKey]:
        """Those that may be shown, in order; authors are looked up only as far as the caller reads."""
        remaining = (post for post in posts if post.key.uri not in self.blocks)
        while chunk := list(islice(remaining, ACTORS_AT_ONCE)):
            authors = account_statuses({post.did for post in chunk}, limits=matches.SEARCH)
            private = self._private({post.did for post in chunk})
            for post in chunk:
                if post.did not in private and authors.get(post.did, UNKNOWN).shows(post.version):
                    yield post.key

    def alive(self, posts: Iterable[PostKey]) -> Iterator[PostKey]:
        """The same for posts of a stored list: also without those that were deleted since."""
        remaining = [post for post in posts if post.uri not in self.blocks]
        living = live_posts.alive(remaining, limits=matches.SEARCH)
        private = self._private({post.did for post in remaining})
        return (post for post in remaining if post in living and post.did not in private)

    def _private(self, dids: set[str]) -> set[str]:
        return set() if self.signed_in else hidden_from_logged_out(dids, limits=matches.SEARCH)
