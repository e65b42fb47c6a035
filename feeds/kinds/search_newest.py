"""A search, newest first: pages from the tail (feeds.ranking.tails), and below it from the index.

The order is (rkey, did) descending and a cursor is such a pair. So a walk shows each post once, also where it leaves
the tail and while the tail is renewed. A post that is indexed late appears at its place with the next comparison of the
tail, or at once where the index is read; a reader who is already below that place does not see it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import is_tid, tid_of_micros
from atsite.core.clickhouse.limits import Limits
from atsite.core.web.store_timeouts import StoreAway
from feeds.kinds import newest_first_pages
from feeds.kinds.likes_ranking import MINUTE
from feeds.kinds.search_feed import INDEX_SECONDS, SearchFeed
from feeds.ranking import metrics
from feeds.ranking.cursor import InvalidCursor, Newest
from feeds.ranking.feed import FeedDescription, FeedPage, FeedUnavailable, PostKey, SkeletonPost, describe
from feeds.ranking.generations import SECOND
from feeds.ranking.packed_posts import PackedPosts
from feeds.ranking.tails import Tail
from indexer.index.page_refill import Candidates
from indexer.index.query import matches
from indexer.index.query.matches import BOTTOM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.ranking.feed import FeedRequest
    from feeds.ranking.tails import Outcome
    from indexer.index.posts.live_posts import PostVersion
    from indexer.index.query.conditions import Where

#: Posts of a tail: 20 pages of 50.
SIZE: Final = 1_000
#: Rows read per post wanted: some are old versions, or of posts that may not be shown.
ROWS_PER_POST: Final = 2
#: Below this many posts a tail is read from the index again, if there are more.
REFILL_BELOW: Final = 800
#: The age of its last comparison at which all of a tail is compared with the index (microseconds): every second round.
COMPARE_AFTER: Final = 25 * SECOND
#: How much of what the last round saw the next one reads again: posts are indexed some seconds after their rkey's time,
#: and not in its order (microseconds).
OVERLAP: Final = 2 * MINUTE
#: Rkeys up to this far in the future are accepted, as in feeds of a label.
CLOCK_SKEW: Final = 2 * MINUTE

#: A page reads little; a round more, but it is only one.
PAGE: Final = Limits(max_execution_time=INDEX_SECONDS, max_memory_usage=500_000_000, max_threads=2, readonly=True)
ROUND: Final = Limits(max_execution_time=5, max_memory_usage=500_000_000, max_threads=2, readonly=True)


@dataclass(frozen=True)
class SearchNewest(SearchFeed):
    """A feed with a tail (feeds.ranking.tails.TailedFeed)."""

    is_ranked = False

    @property
    def depends_on_viewer(self) -> bool:
        return False

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        return dict.fromkeys(posts, "found by the query; newest first")

    def page(self, request: FeedRequest) -> FeedPage:
        now = self.data.clock()
        below = self._start(now - now % SECOND + SECOND)
        match request.cursor:
            case None:
                self.memory.tails.note_read(self._name, now=now)
            case Newest(rkey, did) if is_tid(rkey):
                below = min(below, PostKey(rkey, did))
            case _:
                raise InvalidCursor("the cursor belongs to another kind of feed")
        entries = _Entries(self, self.memory.tails.usable(self._name, now=now))
        try:
            return newest_first_pages.page(entries, below, request.limit)
        except StoreAway as error:
            raise FeedUnavailable("the posts of this feed cannot be read now") from error

    def from_index(self, key: PostKey, limit: int) -> Candidates[PostKey, PostKey]:
        """At least `limit` posts below `key`, if there are that many. Raises StoreAway, FeedUnavailable."""

        def found() -> Candidates[PostKey, PostKey]:
            below = matches.candidates(self.where(self.data.clock()), key, limit, limits=PAGE)
            return Candidates(self._without_spam(below.entries, PAGE), below.below)

        guard = self.memory.guard(self.definition)
        return self.memory.found.ask((self.parameters, key, limit), lambda: guard.call(found))

    def renew_tail(self, now: int) -> Outcome:
        tails = self.memory.tails
        if not tails.is_read(self._name):
            return "unread"
        old = tails.stored(self._name)
        where = self.where(now)
        outcome, tail = self._renewed(where, old, now)
        tails.store(self._name, replace(tail, posts=PackedPosts.of(tail.posts)))
        return outcome

    def _renewed(self, where: Where, old: Tail | None, now: int) -> tuple[Outcome, Tail]:
        if old is None:
            return "filled", self._filled(where, now)
        if now - old.compared_at >= COMPARE_AFTER:
            compared = self._joined(where, replace(old, posts=()), old.floor, now)
            if compared.floor is not None and len(compared.posts) < REFILL_BELOW:
                return "filled", self._filled(where, now)
            return "compared", replace(compared, compared_at=now)
        again = PostKey(tid_of_micros(old.extended_at - OVERLAP), "")
        return "extended", self._joined(where, old, again if old.floor is None else max(again, old.floor), now)

    def _filled(self, where: Where, now: int) -> Tail:
        found = matches.candidates(where, self._top(now), ROWS_PER_POST * SIZE, limits=ROUND, name="feeds.search_tail")
        return self._tail(found.entries, (), found.below, compared_at=now, extended_at=now)

    def _joined(self, where: Where, old: Tail, down_to: PostKey | None, now: int) -> Tail:
        """The tail with what the index has from `down_to` (None: the beginning) on, instead of what it had there."""
        end = BOTTOM if down_to is None else down_to
        size = ROWS_PER_POST * SIZE
        found = matches.candidates(where, self._top(now), size, down_to=end, limits=ROUND, name="feeds.search_tail")
        if found.below is not None:
            return self._tail(found.entries, (), found.below, compared_at=old.compared_at, extended_at=now)
        kept = () if down_to is None else old.below(down_to, SIZE)
        return self._tail(found.entries, kept, old.floor, compared_at=old.compared_at, extended_at=now)

    def _tail(self, found: Sequence[PostVersion], kept: Sequence[PostKey], floor: PostKey | None, **times: int) -> Tail:
        posts = [*self._without_spam(found, ROUND), *kept]
        if len(posts) > SIZE:
            posts = posts[:SIZE]
            floor = posts[-1]
        return Tail(posts, floor, **times)

    def _without_spam(self, found: Sequence[PostVersion], limits: Limits) -> list[PostKey]:
        least = self.parameters.following_max
        spam = self.memory.followers.among({match.did for match in found}, least=least, limits=limits)
        return [match.key for match in found if match.did not in spam]

    def _start(self, now: int) -> PostKey:
        youngest = self.parameters.min_age_minutes * MINUTE
        return PostKey(tid_of_micros(now - youngest if youngest else now + CLOCK_SKEW), "")

    @staticmethod
    def _top(now: int) -> PostKey:
        return PostKey(tid_of_micros(now + CLOCK_SKEW), "")

    @property
    def _name(self) -> str:
        return f"{self.definition.key}:{sha256(repr(self.parameters).encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A post as an entry of a page."""

    key: PostKey


@dataclass(frozen=True)
class _Entries:
    """The posts of one page, an EntrySource: those of the tail, then those of the index."""

    feed: SearchNewest
    tail: Tail | None

    def below(self, key: PostKey, limit: int) -> Candidates[_Entry, PostKey]:
        found = self._below(key, limit)
        return Candidates([_Entry(post) for post in found.entries], found.below)

    def _below(self, key: PostKey, limit: int) -> Candidates[PostKey, PostKey]:
        tail = self.tail
        if tail is None or (tail.floor is not None and key <= tail.floor):
            self._count("index")
            return self.feed.from_index(key, limit)
        posts = tail.below(key, limit)
        if len(posts) == limit or tail.floor is None:
            self._count("tail")
            return Candidates(posts, posts[-1] if len(posts) == limit else None)
        self._count("both")
        rest = self.feed.from_index(tail.floor, limit - len(posts))
        return Candidates([*posts, *rest.entries], rest.below)

    def shown(self, entries: Sequence[_Entry]) -> dict[_Entry, SkeletonPost]:
        listed = self.feed.data.listed(self.feed.definition, [entry.key for entry in entries])
        return {entry: SkeletonPost(entry.key.uri) for entry in entries if entry.key in listed}

    def _count(self, source: str) -> None:
        metrics.TAIL_READS.labels(feed=self.feed.definition.rkey, source=source).inc()
