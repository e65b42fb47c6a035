"""Search of posts: one page, newest first, each matching post once however the walk is cut into pages.

Position is the key (rkey, did), so that posts which arrive meanwhile move nothing. A page reads candidates until it is
full (indexer.index.page_refill).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

from atsite.core import cursor_format
from atsite.core.atproto.syntax import is_did
from atsite.core.atproto.tid import is_tid, tid_of_micros
from atsite.core.cursor_format import InvalidCursor
from indexer.index.page_refill import fill
from indexer.index.posts.post_key import PostKey
from indexer.index.query import matches

if TYPE_CHECKING:
    from indexer.index.page_refill import Candidates
    from indexer.index.query.conditions import Where
    from indexer.index.query.matches import Match
    from search.posts.hidden import Hidden

CURSOR_KIND: Final = "search.posts"
#: Clocks differ: what is further ahead is dated in the future, and shown when its time has come.
CLOCK_SKEW_MICROS: Final = 120 * 1_000_000
#: Seconds after which no further refill begins: the caller has given up by then.
PATIENCE_SECONDS: Final = 8.0
#: Up to so many matches are counted.
TOTAL_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` posts, and where the next page begins; no cursor: there is no next page.

    `total`: how many posts all pages have; only the first page tells it, and only up to TOTAL_MAX.
    """

    posts: tuple[PostKey, ...]
    cursor: str | None
    total: int | None = None


def page(where: Where, hidden: Hidden, *, limit: int, cursor: str | None, now: int) -> Page:
    """The newest `limit` posts (1 to 100) after `cursor`, at the moment `now` (unix microseconds), without `hidden`.

    Raises InvalidCursor, NothingToShow, and what the door raises.
    """
    top = PostKey(tid_of_micros(now + CLOCK_SKEW_MICROS), "")
    below = top if cursor is None else min(top, decode_cursor(cursor))
    if where.author in hidden.blocks.dids:
        return Page((), None, None if cursor else 0)
    reads: list[Candidates[Match, PostKey]] = []

    def read(position: PostKey, size: int) -> Candidates[Match, PostKey]:
        reads.append(matches.candidates(where, position, size))
        return reads[-1]

    filled = fill(below, limit, read=read, shown=hidden.shown, position=_key, deadline=monotonic() + PATIENCE_SECONDS)
    below_page = filled.next
    return Page(
        filled.entries,
        None if below_page is None else cursor_format.encode(CURSOR_KIND, below_page.rkey, below_page.did),
        None if cursor else _total(where, hidden, reads[0], top),
    )


def _total(where: Where, hidden: Hidden, first: Candidates[Match, PostKey], top: PostKey) -> int | None:
    found = first.entries if first.below is None else matches.some(where, below=top, size=TOTAL_MAX + 1)
    return None if len(found) > TOTAL_MAX else sum(1 for _ in hidden.shown(found))


def decode_cursor(text: str) -> PostKey:
    """The key after which a page begins; raises InvalidCursor."""
    rkey, did = cursor_format.decode(CURSOR_KIND, text, str, str)
    if not is_tid(rkey) or not is_did(did):
        raise InvalidCursor("the cursor is not one that was given out")
    return PostKey(rkey, did)


def _key(post: PostKey) -> PostKey:
    return post
