"""Static: chosen posts in a given order (`bangers`, `at-bangers`), or the best posts by likes.

| parameter `source` | the posts |
|---|---|
| list | the feed's own list (feeds.models.PinnedPost) |
| viewer_best | the reader's own root posts by likes; empty for readers who are not logged in |
| network_best | the network's root posts by likes, of all time |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse.door import Limits
from atsite.core.web.store_timeouts import StoreGuard
from feeds.kinds import best_ever, like_counts
from feeds.kinds.kind import Kind
from feeds.kinds.likes_feed import likes_in_words, likes_of
from feeds.kinds.likes_ranking import MEMORY
from feeds.ranking import queries, ranked_pages, ranking
from feeds.ranking.computed import ComputedRankings
from feeds.ranking.cursor import InvalidCursor, Listed
from feeds.ranking.feed import Feed, FeedDescription, FeedPage, SkeletonPost, describe
from feeds.ranking.parameters import Between, OneOf, parameter
from feeds.ranking.ranked_pages import END

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from atsite.core.atproto.syntax import Did
    from feeds.ranking.feed import Definition, FeedRequest, PostKey
    from feeds.ranking.page_data import FeedData
    from feeds.ranking.ranking import RankedPost

LIST, VIEWER_BEST, NETWORK_BEST = "list", "viewer_best", "network_best"
SOURCES: Final = {
    LIST: "the list below, in its order",
    VIEWER_BEST: "the reader's own posts, most liked first",
    NETWORK_BEST: "the most liked posts of the whole network, of all time",
}


@dataclass(frozen=True, slots=True)
class StaticParameters:
    """Parameters of a static feed. All but `source` are for the two sources by likes."""

    source: str = parameter(LIST, OneOf(SOURCES), "Where the posts come from.")
    min_likes: int = parameter(
        10, Between(1, 1_000_000), "Minimum number of likes. Used only if the posts are found by likes."
    )
    #: Half an hour: of all time, little changes.
    refresh_seconds: int = parameter(1800, Between(10, 3600), "Seconds between refreshes of the network's ranking.")


@dataclass(frozen=True)
class _Static:
    definition: Definition
    parameters: StaticParameters
    data: FeedData

    @property
    def depends_on_viewer(self) -> bool:
        return False

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        """For the sources by likes."""
        found = like_counts.liked_ever([post.rkey for post in posts], min_likes=1, limits=queries.PAGE)
        likes = likes_of(found)
        return {post: likes_in_words(likes.get(post, 0)) for post in posts}


@dataclass(frozen=True)
class ListedPosts(_Static):
    """The feed's own list."""

    def page(self, request: FeedRequest) -> FeedPage:
        posts = [post for post in dict.fromkeys(self.definition.posts) if post != self.definition.pinned]
        match request.cursor:
            case None:
                position = 0
            case Listed(position, rkey, did):
                position = _after(posts, position, rkey, did)
            case _:
                raise InvalidCursor("the cursor belongs to another kind of feed")
        cut = ranking.cut(posts, position, request.limit, self._named)
        shown = tuple(SkeletonPost(post.uri) for post in cut.posts)
        if cut.position is None:
            return FeedPage(shown)
        last = posts[cut.position - 1]
        return FeedPage(shown, Listed(cut.position, last.rkey, last.did))

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        places = {post: place for place, post in enumerate(dict.fromkeys(self.definition.posts), 1)}
        return {post: f"number {places[post]} in your list" for post in posts if post in places}

    def _named(self, posts: Sequence[PostKey]) -> Set[PostKey]:
        return self.data.named(self.definition, posts)


def _after(posts: Sequence[PostKey], position: int, rkey: str, did: str) -> int:
    """The position after the post (rkey, did), which was just before `position` when the cursor was given out.

    The list can be edited meanwhile: the post may have moved, or was removed and those below it moved up by one.
    """
    for index, post in enumerate(posts):
        if (post.rkey, post.did) == (rkey, did):
            return index + 1
    return min(position - 1, len(posts))


@dataclass(frozen=True)
class NetworkBest(_Static):
    """A ranked feed (feeds.ranking.ranked_pages.RankedFeed)."""

    @property
    def refresh_seconds(self) -> int:
        return self.parameters.refresh_seconds

    def page(self, request: FeedRequest) -> FeedPage:
        return ranked_pages.page(self, self.data, request)

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        return best_ever.rank(min_likes=self.parameters.min_likes, seconds=seconds)


#: Seconds that one reader's ranking may take, and how many of their newest posts are read.
OWN_SECONDS: Final = 3
OWN_POSTS: Final = 5000
#: Length of the ranking: every process keeps the rankings of all its readers of the last half hour.
OWN_SIZE: Final = 300
#: Rankings of single readers made at a time: each is a small statement.
OWN_AT_ONCE: Final = 4
#: Age in seconds at which a first page has a reader's ranking made again.
OWN_FRESH: Final = 600


def _own_rankings() -> ComputedRankings:
    return ComputedRankings(StoreGuard("clickhouse-own", seconds=OWN_SECONDS, pause=1), at_once=OWN_AT_ONCE)


@dataclass(frozen=True)
class _Memory:
    """What makes the rankings of single readers in this process: beside those of whole feeds, which would wait."""

    computed: ComputedRankings = field(default_factory=_own_rankings)


@dataclass(frozen=True)
class ViewerBest(_Static):
    """A ranking for each reader, made on their first page. Its key in stores has a hash of the did, not the did.

    A reader with an old ranking gets that one, and the new one the next time.
    """

    @property
    def depends_on_viewer(self) -> bool:
        return True

    def page(self, request: FeedRequest) -> FeedPage:
        if request.viewer is None:
            return END
        key = f"{self.definition.key}/{sha256(request.viewer.encode()).hexdigest()[:32]}"
        own = OwnBest(self.definition, self.parameters, self.data, request.viewer)
        computed = self.data.memory(_Memory).computed
        return ranked_pages.personal_page(own, self.data, request, key=key, computed=computed)


@dataclass(frozen=True)
class OwnBest(_Static):
    """One reader's ranking; a feed only as far as feeds.ranking.ranked_pages needs one."""

    viewer: Did

    @property
    def refresh_seconds(self) -> int:
        return OWN_FRESH

    def page(self, request: FeedRequest) -> FeedPage:
        return ranked_pages.page(self, self.data, request)

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        limits = Limits(max_execution_time=max(1, seconds), max_memory_usage=MEMORY, readonly=True)
        min_likes = self.parameters.min_likes
        best = like_counts.best_posts_of(self.viewer, min_likes=min_likes, posts=OWN_POSTS, limits=limits)
        return best[:OWN_SIZE]


def _make(definition: Definition, parameters: StaticParameters, data: FeedData) -> Feed:
    match parameters.source:
        case "viewer_best":
            return ViewerBest(definition, parameters, data)
        case "network_best":
            return NetworkBest(definition, parameters, data)
        case _:
            return ListedPosts(definition, parameters, data)


KIND: Final = Kind(
    "static",
    "Posts that you choose, in your order; or the most liked posts of all time.",
    StaticParameters,
    _make,
    "Nothing to show to this reader. Add posts to the list. If the posts are found by likes, lower the minimum.",
    has_list=True,
)
