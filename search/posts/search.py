"""Search of posts: one page, newest first, each matching post once however the walk is cut into pages.

Position is the key (rkey, did), so that posts which arrive meanwhile move nothing. A page fetches candidates, looks up
their authors alone, drops those of authors who are not active (or whose rows are dead), and fetches again until it is
full: at most REFILLS times, each GROWTH times as many.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Final

from atsite.core import paging
from atsite.core.atproto.syntax import is_did
from atsite.core.atproto.tid import is_tid, tid_of_micros
from atsite.core.errors import AtsiteError
from atsite.core.paging import InvalidCursor
from indexer.index.queries import UNKNOWN, standings
from search.posts import queries
from search.posts.conditions import Where, where
from search.posts.queries import BOTTOM, Match, PostKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from atsite.core.atproto.aturi import AtUri
    from search.posts.conditions import Filters
    from search.posts.language import Query

CURSOR_KIND: Final = "search.posts"
#: Clocks differ: what is further ahead is dated in the future, and shown when its time has come.
CLOCK_SKEW_MICROS: Final = 120 * 1_000_000
REFILLS: Final = 4
GROWTH: Final = 4
#: Rows found without FINAL per post wanted: room for old versions and deleted posts among them.
ROWS_PER_POST: Final = 4
#: Seconds after which no further refill begins: the caller has given up by then.
PATIENCE_SECONDS: Final = 8.0
#: Actors asked about at once: bounds the statement, whatever a refill brings.
ACTORS_AT_ONCE: Final = 1_000


class NothingToShow(AtsiteError):
    """Everything looked at is hidden and there is more to look at: no honest page can be given now."""


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` posts, and where the next page begins; no cursor: there is no next page."""

    posts: tuple[AtUri, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Posts that match, newest first, and the key down to which all have been looked at; None: there are no more."""

    posts: list[Match]
    down_to: PostKey | None


def page(query: Query, filters: Filters, *, limit: int, cursor: str | None, now: int) -> Page:
    """The newest `limit` posts (1 to 100) after `cursor`, at the moment `now` (unix microseconds).

    Raises InvalidCursor, NothingToShow, and what the door raises.
    """
    conditions = where(query, filters, now=now)
    top = PostKey(tid_of_micros(now + CLOCK_SKEW_MICROS), "")
    below = top if cursor is None else min(top, decode_cursor(cursor))
    deadline = monotonic() + PATIENCE_SECONDS
    found: list[PostKey] = []
    size = limit + 1  # one more than shown tells whether there is a next page
    for _ in range(1 + REFILLS):
        batch = _candidates(conditions, below, size)
        found += islice(_shown(batch.posts), limit + 1 - len(found))
        if len(found) > limit or batch.down_to is None or monotonic() > deadline:
            break
        below, size = batch.down_to, size * GROWTH
    if len(found) > limit:
        return _page(found[:limit], found[limit - 1])
    if batch.down_to is not None and not found:
        raise NothingToShow("the newest matches are all by inactive accounts, try a narrower search")
    return _page(found, batch.down_to)


def decode_cursor(text: str) -> PostKey:
    """The key after which a page begins; raises InvalidCursor."""
    rkey, did = paging.decode(CURSOR_KIND, text, str, str)
    if not is_tid(rkey) or not is_did(did):
        raise InvalidCursor("the cursor is not one that was given out")
    return PostKey(rkey, did)


def _page(posts: list[PostKey], end: PostKey | None) -> Page:
    cursor = None if end is None else paging.encode(CURSOR_KIND, end.rkey, end.did)
    return Page(tuple(post.uri for post in posts), cursor)


def _candidates(conditions: Where, below: PostKey, size: int) -> Candidates:
    """At least `size` posts that match, if the store has them: every one from where they end up to `below`."""
    if not conditions.keys_first:
        posts = queries.matches(conditions, below=below, down_to=BOTTOM, size=size)
        return Candidates(posts, posts[-1].key if len(posts) == size else None)
    rows = ROWS_PER_POST * size
    end = queries.nth_row(conditions, below=below, nth=rows)
    posts = queries.matches(conditions, below=below, down_to=end or BOTTOM, size=rows)
    return Candidates(posts, posts[-1].key if len(posts) == rows else end)


def _shown(posts: Iterable[Match]) -> Iterator[PostKey]:
    """Those that may be shown, in order; authors are looked up only as far as the caller reads."""
    remaining = iter(posts)
    while chunk := list(islice(remaining, ACTORS_AT_ONCE)):
        authors = standings({post.did for post in chunk}, limits=queries.SEARCH)
        for post in chunk:
            if authors.get(post.did, UNKNOWN).shows(post.version):
                yield post.key
