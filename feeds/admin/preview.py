"""The preview of a feed as a reader gets it, with the text of each post and the reason why it is there.

The page is made by the function that serves it (feeds.serving.private_gate.page), with the same cursors; it is not
counted. The feed's kind gives the reasons. Names and texts are looked up separately; if that fails the page is shown
without them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.tid import is_tid, micros_of_tid
from atsite.core.clickhouse.errors import ClickHouseError
from feeds.admin import preview_queries
from feeds.ranking import cursor as cursors
from feeds.ranking.computed import BUDGET_SECONDS, waiting
from feeds.ranking.feed import FeedRequest, Instructions, Pin, PostKey, Repost
from feeds.ranking.ranking import RankedFeed
from feeds.serving import private_gate
from indexer.index.handles import Name

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from feeds.admin.preview_queries import PostText
    from feeds.ranking.feed import Feed, FeedPage, SkeletonPost
    from feeds.ranking.page_data import FeedData

log = structlog.get_logger(__name__)

#: Posts of one preview page: as many as readers' apps ask for.
PAGE_POSTS: Final = 30
#: How long a preview waits for a ranking that is made for it.
PATIENCE_SECONDS: Final = BUDGET_SECONDS


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One entry of the page. `known` is None if the post is not indexed."""

    post: PostKey
    author: Name
    known: PostText | None
    posted_at: datetime | None
    #: "pinned", "reposted", "instructions", or "" for a post in its own right.
    mark: str
    reposted_by: Name | None
    why: str

    @property
    def media(self) -> tuple[str, ...]:
        """What it contains besides text, in words."""
        return () if self.known is None else tuple(_media(self.known))


@dataclass(frozen=True, slots=True)
class Preview:
    """A page of the feed. `cursor`: of the next page, "" at the end. `ranked_at`: the time of the ranking."""

    rows: tuple[PreviewRow, ...]
    cursor: str
    ranked_at: datetime | None = None
    #: Names and texts could not be looked up.
    bare: bool = False


def preview(feed: Feed, data: FeedData, *, cursor: str, viewer: Did | None, limit: int = PAGE_POSTS) -> Preview:
    """The page from `cursor` on ("": the first) as `viewer` gets it (None: not logged in).

    Raises InvalidCursor, FeedUnavailable, as serving does.
    """
    request = FeedRequest(limit, cursors.decode(cursor) if cursor else None, viewer)
    page = waiting(lambda: private_gate.page(feed, data, request), seconds=PATIENCE_SECONDS)
    moment = ranked_at(feed, data, request, page)
    found = shown(feed, page, moment or data.clock())
    return replace(found, ranked_at=None if moment is None else _time(moment))


def shown(feed: Feed, page: FeedPage, moment: int) -> Preview:
    """A page with names, texts and reasons, as far as they can be looked up. `moment`: when its order was made."""
    bare = False
    try:
        rows = _rows(feed, page, moment)
    except ClickHouseError as error:
        log.warning("preview.bare", error=type(error).__name__)
        rows, bare = [_bare(feed, entry) for entry in page.posts], True
    following = cursors.encode(page.cursor) if page.cursor is not None and page.posts else ""
    return Preview(tuple(rows), following, bare=bare)


def ranked_at(feed: Feed, data: FeedData, request: FeedRequest, page: FeedPage) -> int | None:
    """The moment of the ranking of the page, in unix microseconds; None if the feed is not ranked."""
    if not isinstance(feed, RankedFeed):
        return None
    for cursor in (request.cursor, page.cursor):
        match cursor:
            case cursors.Ranked(generation):
                return micros_of_tid(generation)
    now = data.clock()
    current = data.generations.current(feed.definition.key, now=now)
    return now if current is None else current.made_at


def _rows(feed: Feed, page: FeedPage, moment: int) -> list[PreviewRow]:
    keys = [_key(entry.post) for entry in page.posts]
    reposters = {
        entry.post: AtUri.parse(entry.reason.uri).did for entry in page.posts if isinstance(entry.reason, Repost)
    }
    texts = preview_queries.post_texts(keys)
    names = preview_queries.authors({key.did for key in keys} | set(reposters.values()))
    fixed = {key: _why(feed, entry) for entry, key in zip(page.posts, keys, strict=True)}
    of_kind = [key for key, why in fixed.items() if not why]
    reasons = {**fixed, **(feed.reasons(of_kind, moment) if of_kind else {})}
    rows = []
    for entry, key in zip(page.posts, keys, strict=True):
        by = reposters.get(entry.post)
        rows.append(
            PreviewRow(
                post=key,
                author=names.get(key.did, Name(key.did)),
                known=texts.get(key),
                posted_at=_posted_at(key),
                mark=_mark(entry),
                reposted_by=None if by is None else names.get(by, Name(by)),
                why=reasons[key],
            )
        )
    return rows


def _bare(feed: Feed, entry: SkeletonPost) -> PreviewRow:
    key = _key(entry.post)
    return PreviewRow(key, Name(key.did), None, _posted_at(key), _mark(entry), None, _why(feed, entry))


def _key(uri: str) -> PostKey:
    return PostKey.of(AtUri.parse(uri))


def _mark(entry: SkeletonPost) -> str:
    match entry.reason:
        case Pin():
            return "pinned"
        case Repost():
            return "reposted"
        case Instructions():
            return "instructions"
    return ""


def _why(feed: Feed, entry: SkeletonPost) -> str:
    """The reason for a pinned or instructions post, the same in every kind of feed."""
    match entry.reason:
        case Pin():
            return "Pinned above the feed."
        case Instructions():
            label = feed.definition.label
            return f"the instructions post: the only post that readers without the label {label} see in this feed"
    return ""


def _posted_at(key: PostKey) -> datetime | None:
    """The time in its record key, which its author chose."""
    return _time(micros_of_tid(key.rkey)) if is_tid(key.rkey) else None


def _time(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def _media(known: PostText) -> list[str]:
    marks = []
    if known.is_reply:
        marks.append("reply")
    if known.images:
        marks.append(f"{known.images} picture{'s' if known.images > 1 else ''}")
    if known.has_video:
        marks.append("video")
    if known.embed_kind == "external":
        marks.append("link")
    if known.quotes:
        marks.append("quote")
    return marks
