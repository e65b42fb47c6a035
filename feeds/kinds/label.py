"""Label: posts by the accounts with a label, newest first; optionally their replies and reposts too.

The order is (rkey, did) descending and a cursor is such a pair, so nothing shifts while new posts arrive. With reposts,
a post is shown once, where it first came into the community: as a member's own post, else at the first repost by one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import Nsid
from atsite.core.atproto.tid import is_tid, tid_of_micros
from atsite.core.errors import InvalidSyntax
from atsite.core.ttl_cache import TtlCache
from atsite.core.web.store_timeouts import StoreAway
from feeds.kinds import label_queries, newest_first_pages
from feeds.kinds.kind import Kind
from feeds.ranking.coalescing import Coalescer
from feeds.ranking.cursor import InvalidCursor, Newest
from feeds.ranking.feed import FeedDescription, FeedPage, FeedUnavailable, PostKey, Repost, SkeletonPost, describe
from feeds.ranking.parameters import Flag, LabelName, parameter, required
from indexer.index.page_refill import Candidates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.kinds.label_queries import Entry
    from feeds.ranking.feed import Definition, FeedRequest
    from feeds.ranking.page_data import FeedData

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 24 * 60 * MINUTE
REPOST: Final = Nsid("app.bsky.feed.repost")

#: Rkeys up to this far in the future are accepted (architecture.md section 4), so the newest page begins there.
CLOCK_SKEW: Final = 2 * MINUTE
#: Up to this many members the table by author is read. Measured: 10 authors 51 ms by author and 177 by time, 1,000
#: authors 757 and 40; the crossing lies between.
BY_AUTHOR_MAX: Final = 100
#: Reposts are only stored by time: a community that seldom reposts would have all of the network's read.
REPOST_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class LabelParameters:
    """Parameters of a label feed."""

    label: str = required(
        LabelName(), "Shows posts by accounts with this label. If the feed is private, only they can read it."
    )
    replies: bool = parameter(False, Flag(), "Also show their replies.")
    reposts: bool = parameter(False, Flag(), "Also show what they reposted in the last week, each post once.")


@dataclass(frozen=True)
class _Memory:
    """What a process keeps for label feeds: shared answers for readers of the same page, and numbers of members."""

    entries: Coalescer[list[Entry]] = field(default_factory=Coalescer)
    #: It decides how a page is read, never what is on it, and changes little within ten seconds.
    member_counts: TtlCache[str, int] = field(default_factory=lambda: TtlCache(size=1000, seconds=10.0))


@dataclass(frozen=True)
class Label:
    """A newest-first feed of the members of a label."""

    definition: Definition
    parameters: LabelParameters
    data: FeedData

    @property
    def depends_on_viewer(self) -> bool:
        return self.definition.private

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        return dict.fromkeys(posts, f"its author or reposter has the label {self.parameters.label}; newest first")

    def page(self, request: FeedRequest) -> FeedPage:
        now = _end_of_second(self.data.clock())
        start = PostKey(tid_of_micros(now + CLOCK_SKEW), "")
        match request.cursor:
            case None:
                below = start
            case Newest(rkey, did) if is_tid(rkey):
                below = min(start, PostKey(rkey, did))
            case _:
                raise InvalidCursor("the cursor belongs to another kind of feed")
        try:
            return newest_first_pages.page(self._entries(now), below, request.limit)
        except StoreAway as error:
            raise FeedUnavailable("the posts of this feed cannot be read now") from error

    def _entries(self, now: int) -> _Entries:
        oldest = tid_of_micros(now - REPOST_DAYS * DAY)
        label = self.parameters.label
        members = self.data.memory(_Memory).member_counts.get(
            label, lambda: self.data.lookups.call(lambda: label_queries.member_count(label))
        )
        return _Entries(self.definition, self.parameters, self.data, members <= BY_AUTHOR_MAX, oldest)


def _end_of_second(now: int) -> int:
    """The end of this second: all requests for the newest posts within it are the same question."""
    return now - now % SECOND + SECOND


@dataclass(frozen=True)
class _Entries:
    """The entries of one label feed, an EntrySource. Its methods raise StoreAway, FeedUnavailable."""

    definition: Definition
    parameters: LabelParameters
    data: FeedData
    by_author: bool
    oldest_repost: str

    def below(self, key: PostKey, limit: int) -> Candidates[Entry, PostKey]:
        same = (self.parameters, self.by_author, self.oldest_repost if self.parameters.reposts else "", key, limit)
        entries = self.data.memory(_Memory).entries
        found = entries.ask(same, lambda: self.data.lookups.call(lambda: self._below(key, limit)))
        return Candidates(found, found[-1].key if len(found) >= limit else None)

    def _below(self, key: PostKey, limit: int) -> list[Entry]:
        label, replies = self.parameters.label, self.parameters.replies
        entries = label_queries.posts(label, below=key, replies=replies, limit=limit, by_author=self.by_author)
        if not self.parameters.reposts:
            return entries
        taken = {entry.key for entry in entries}  # a repost may have the record key of a post
        reposts = label_queries.reposts(label, below=key, oldest=self.oldest_repost, limit=limit)
        entries += [repost for repost in reposts if repost.key not in taken]
        return sorted(entries, reverse=True)[:limit]

    def shown(self, entries: Sequence[Entry]) -> dict[Entry, SkeletonPost]:
        posts = {entry.key: entry for entry in entries if not entry.subject}
        listed = self.data.listed(self.definition, posts)
        shown = {posts[key]: SkeletonPost(key.uri) for key in listed}
        reposts = {entry: subject for entry in entries if (subject := _subject(entry)) is not None}
        return shown | self._reposts_shown(reposts) if reposts else shown

    def _reposts_shown(self, reposts: dict[Entry, PostKey]) -> dict[Entry, SkeletonPost]:
        """Of reposts and their subjects, those that may be shown and with which their subject first came here."""
        label, replies = self.parameters.label, self.parameters.replies
        subjects = self.data.named(self.definition, set(reposts.values())) - {self.definition.pinned}
        if not subjects:
            return {}
        blocked = self.data.blocks_of(self.definition).dids
        own = self.data.lookups.call(lambda: label_queries.own_posts(label, subjects, replies=replies))
        first = self.data.lookups.call(lambda: label_queries.first_reposts(label, subjects, blocked=blocked))
        return {
            entry: SkeletonPost(subject.uri, Repost(f"at://{entry.did}/{REPOST}/{entry.rkey}"))
            for entry, subject in reposts.items()
            if subject in subjects and subject not in own and entry in first
        }


def _subject(entry: Entry) -> PostKey | None:
    """The reposted post; None if this is not a repost, or not a repost of a post."""
    try:
        return PostKey.of(AtUri.parse(entry.subject)) if entry.subject else None
    except InvalidSyntax:
        return None


KIND: Final = Kind(
    "label",
    "Posts by the members of a label, newest first. Everyone can read it, or only the members.",
    LabelParameters,
    Label,
    "Nothing to show to this reader. The feed shows posts by the members of its label: add members, or preview it as a"
    " member.",
)
