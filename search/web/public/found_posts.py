"""Posts of a search as the public page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import micros_of_tid
from atsite.core.clock import datetime_of, now_us
from indexer.index.page_refill import NothingToShow
from indexer.index.query import values
from indexer.index.query.tree import Key
from labels.blocks import blocked
from search.posts import asked, highlight, recently_shown, rows, search, top_results
from search.posts.details import Details, details_of
from search.posts.hidden import Hidden
from search.web.public import words
from search.web.public.words import APP

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.utils.safestring import SafeString

    from indexer.index.posts.post_key import PostKey
    from search.posts.asked import Asked
    from search.posts.rows import Row
    from search.posts.search import Page
    from search.web.public.words import Moment

#: Posts of a page.
LIMIT: Final = 20


@dataclass(frozen=True, slots=True)
class ShownPost:
    """A post. `url`: it in the app; `lang`: the language of its text, if its author names one."""

    author: str
    handle: str
    profile: str
    url: str
    at: Moment
    text: SafeString
    lang: str
    counts: str
    kind: str
    media: str
    details: Details


@dataclass(frozen=True, slots=True)
class FoundPosts:
    """A page of posts. `since`: older ones were not looked at; `none_shown`: those that match may not be shown."""

    posts: list[ShownPost]
    cursor: str | None
    total: int | None
    since: Moment | None
    period_days: int | None
    none_shown: bool = False


def find(q: str, *, top: bool, cursor: str | None) -> FoundPosts:
    """The posts that match. Raises BadQuery, InvalidCursor, and what the door raises."""
    now = now_us()
    what = asked.asked(asked.tree_of(q, {}), viewer=None, now=now)
    pages = top_results if top else search
    since = what.where.searched_since
    said = None if since is None else words.moment(datetime_of(since), datetime_of(now))
    days = None
    if top:
        begin, end = top_results.period(what.where, now)
        days = round((end - begin) / top_results.DAY_MICROS)
    try:
        page = pages.page(what.where, Hidden(blocked(), signed_in=False), limit=LIMIT, cursor=cursor, now=now)
    except NothingToShow:
        return FoundPosts([], None, None, said, days, none_shown=True)
    recently_shown.remember({Did(post.did) for post in page.posts})
    return FoundPosts(_shown(page, what, datetime_of(now)), page.cursor, page.total, said, days)


def _shown(page: Page, what: Asked, now: datetime) -> list[ShownPost]:
    details = details_of(page.posts)
    found = rows.rows_of(page.posts)
    return [_post(row, what, details, now) for row in found]


def _post(row: Row, what: Asked, details: Mapping[PostKey, Details], now: datetime) -> ShownPost:
    post, more = row.post, details.get(row.post.key, Details())
    text = words.shortened(post.text)
    profile = f"{APP}/{quote(post.did, safe=':')}"
    return ShownPost(
        author=row.author.display_name or row.author.handle or post.did,
        handle=row.author.handle,
        profile=profile,
        url=f"{profile}/post/{quote(post.rkey, safe=':')}",
        at=words.moment(_time_of(post.key, post.created_at), now),
        text=words.marked(text, highlight.ranges(text, what.words, what.runs)),
        lang=_language(post.langs),
        counts=" · ".join(words.engagement(row)),
        kind=words.listed([kind for kind, has in (("reply", more.is_reply), ("quote", more.is_quote)) if has]),
        media=words.listed(_media(more)),
        details=more,
    )


def _time_of(key: PostKey, created_at: datetime | None) -> datetime:
    """What the author's app wrote, unless it is later than the key of the record says."""
    made = datetime_of(micros_of_tid(key.rkey))
    return made if created_at is None else min(made, created_at)


def _media(details: Details) -> list[str]:
    pictures = [words.count(details.pictures, "picture")] if details.pictures else []
    return [*pictures, *(["a video"] if details.has_video else [])]


def _language(langs: list[str]) -> str:
    try:
        return values.read(Key.LANG, langs[0]) if langs else ""
    except values.InvalidValue:
        return ""
