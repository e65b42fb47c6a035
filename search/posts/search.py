"""Search of posts: one page, newest first, each matching post once however the walk is cut into pages.

Position is the key (rkey, did), so that posts which arrive meanwhile move nothing. A page reads candidates until it is
full (indexer.index.page_refill). Left out are posts that the site blocks everywhere, those of authors who are not
active, and dead rows; authors are looked up for the candidates alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Final

from atsite.core import cursor_format
from atsite.core.atproto.syntax import is_did
from atsite.core.atproto.tid import is_tid, tid_of_micros
from atsite.core.cursor_format import InvalidCursor
from indexer.index.account_status import UNKNOWN, account_statuses
from indexer.index.page_refill import fill
from indexer.index.query import matches
from indexer.index.query.matches import Match, MatchKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from atsite.core.atproto.aturi import AtUri
    from indexer.index.query.conditions import Where
    from labels.blocks import Blocks

CURSOR_KIND: Final = "search.posts"
#: Clocks differ: what is further ahead is dated in the future, and shown when its time has come.
CLOCK_SKEW_MICROS: Final = 120 * 1_000_000
#: Seconds after which no further refill begins: the caller has given up by then.
PATIENCE_SECONDS: Final = 8.0
#: Actors asked about at once: bounds the statement, whatever a refill brings.
ACTORS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` posts, and where the next page begins; no cursor: there is no next page."""

    posts: tuple[AtUri, ...]
    cursor: str | None


def page(where: Where, blocks: Blocks, *, limit: int, cursor: str | None, now: int) -> Page:
    """The newest `limit` posts (1 to 100) after `cursor`, at the moment `now` (unix microseconds), without `blocks`.

    Raises InvalidCursor, NothingToShow, and what the door raises.
    """
    top = MatchKey(tid_of_micros(now + CLOCK_SKEW_MICROS), "")
    below = top if cursor is None else min(top, decode_cursor(cursor))
    if where.author in blocks.dids:
        return Page((), None)
    filled = fill(
        below,
        limit,
        read=partial(matches.candidates, where),
        shown=partial(_shown, blocks),
        position=_key,
        deadline=monotonic() + PATIENCE_SECONDS,
    )
    posts = tuple(post.uri for post in filled.entries)
    return Page(
        posts, None if filled.next is None else cursor_format.encode(CURSOR_KIND, filled.next.rkey, filled.next.did)
    )


def decode_cursor(text: str) -> MatchKey:
    """The key after which a page begins; raises InvalidCursor."""
    rkey, did = cursor_format.decode(CURSOR_KIND, text, str, str)
    if not is_tid(rkey) or not is_did(did):
        raise InvalidCursor("the cursor is not one that was given out")
    return MatchKey(rkey, did)


def _key(post: MatchKey) -> MatchKey:
    return post


def _shown(blocks: Blocks, posts: Iterable[Match]) -> Iterator[MatchKey]:
    """Those that may be shown, in order; authors are looked up only as far as the caller reads."""
    remaining = (post for post in posts if str(post.key.uri) not in blocks)
    while chunk := list(islice(remaining, ACTORS_AT_ONCE)):
        authors = account_statuses({post.did for post in chunk}, limits=matches.SEARCH)
        for post in chunk:
            if authors.get(post.did, UNKNOWN).shows(post.version):
                yield post.key
