"""Search of posts: one page, newest first, each matching post once however the walk is cut into pages.

Position is the key (rkey, did), so that posts which arrive meanwhile move nothing. A page reads candidates until it is
full (indexer.index.page_refill).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final

from atsite.core import cursor_format
from atsite.core.atproto.syntax import is_did
from atsite.core.atproto.tid import is_tid, tid_of_micros
from atsite.core.cursor_format import InvalidCursor
from indexer.index.page_refill import Candidates, fill
from indexer.index.posts.post_key import PostKey
from indexer.index.query import matches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.posts.live_posts import PostVersion
    from indexer.index.query.conditions import Where
    from search.posts.hidden import Hidden

CURSOR_KIND: Final = "search.posts"
#: Clocks differ: what is further ahead is dated in the future, and shown when its time has come.
CLOCK_SKEW_MICROS: Final = 120 * 1_000_000
#: Seconds after which no further refill begins: the caller has given up by then.
PATIENCE_SECONDS: Final = 8.0
#: Rows that a page needs not be full without: a few posts are hidden, or old versions.
SPARE: Final = 25
#: Up to so many matches are counted, if at least half of the rows that the index finds are matches.
TOTAL_MAX: Final = 1_000
ROWS_MAX: Final = 2 * TOTAL_MAX


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
    if cursor is None and (few := _all_of_few(where, top)) is not None:
        return _counted(few, hidden, limit)

    def read(position: PostKey, size: int) -> Candidates[PostVersion, PostKey]:
        return matches.rows(where, below=position, size=size)

    deadline = monotonic() + PATIENCE_SECONDS
    shown = partial(hidden.shown, first=limit + 1 + SPARE)
    filled = fill(below, limit, read=read, shown=shown, position=_key, spare=SPARE, deadline=deadline)
    return Page(filled.entries, None if filled.next is None else _cursor(filled.next))


def _all_of_few(where: Where, top: PostKey) -> Sequence[PostVersion] | None:
    """All rows that match, if there are few."""
    if matches.row_count(where, at_most=ROWS_MAX + 1) > ROWS_MAX:
        return None
    found = matches.rows(where, below=top, size=ROWS_MAX + 1, few=True)
    # More than were counted: rows that have arrived since.
    return found.entries if found.below is None else None


def _counted(rows: Sequence[PostVersion], hidden: Hidden, limit: int) -> Page:
    """The first page where all rows are known."""
    shown = tuple(hidden.shown(rows))
    total = len(shown) if len(shown) <= TOTAL_MAX else None
    return Page(shown[:limit], _cursor(shown[limit - 1]) if len(shown) > limit else None, total)


def _cursor(post: PostKey) -> str:
    return cursor_format.encode(CURSOR_KIND, post.rkey, post.did)


def decode_cursor(text: str) -> PostKey:
    """The key after which a page begins; raises InvalidCursor."""
    rkey, did = cursor_format.decode(CURSOR_KIND, text, str, str)
    if not is_tid(rkey) or not is_did(did):
        raise InvalidCursor("the cursor is not one that was given out")
    return PostKey(rkey, did)


def _key(post: PostKey) -> PostKey:
    return post
