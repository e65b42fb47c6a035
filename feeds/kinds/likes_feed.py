"""Base of the kinds that rank posts by likes; each kind adds its time window and its formula."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final, Generic, Protocol, TypeVar

from atsite.core.atproto.tid import micros_of_tid
from feeds.kinds import like_counts
from feeds.kinds.likes_ranking import HOUR, LikesRanking, oldest_like
from feeds.ranking import queries, ranked_pages
from feeds.ranking.feed import FeedDescription, describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feeds.kinds.like_counts import PostCondition
    from feeds.kinds.likes_ranking import Formula
    from feeds.ranking.feed import Definition, FeedPage, FeedRequest, PostKey
    from feeds.ranking.page_data import FeedData
    from feeds.ranking.ranking import RankedPost

#: Advice for a feed that shows nothing.
NONE_QUALIFIES: Final = "No post qualifies yet. Lower the minimum number of likes in the settings, then refresh."


class LikesParameters(Protocol):
    """Parameters of such a kind, besides its window."""

    @property
    def min_age_minutes(self) -> int: ...
    @property
    def min_likes(self) -> int: ...
    @property
    def following_max(self) -> int: ...
    @property
    def refresh_seconds(self) -> int: ...


class NetworkParameters(LikesParameters, Protocol):
    """Parameters of a kind that ranks the posts of the whole network."""

    @property
    def language(self) -> str: ...
    @property
    def media(self) -> str: ...


P = TypeVar("P", bound=LikesParameters)
N = TypeVar("N", bound=NetworkParameters)


@dataclass(frozen=True)
class LikesFeed(Generic[P]):
    """A ranked feed (feeds.ranking.ranking.RankedFeed). A kind defines `formula`, `window`, `condition`, `reason`."""

    definition: Definition
    parameters: P
    data: FeedData

    formula: ClassVar[Formula]

    @property
    @abstractmethod
    def window(self) -> int:
        """Maximum age of a post, in hours."""

    @property
    @abstractmethod
    def condition(self) -> PostCondition:
        """Which posts it ranks."""

    @abstractmethod
    def reason(self, likes: int, age_hours: float) -> str:
        """The formula with the numbers of one post."""

    @property
    def depends_on_viewer(self) -> bool:
        return False

    @property
    def refresh_seconds(self) -> int:
        return self.parameters.refresh_seconds

    def page(self, request: FeedRequest) -> FeedPage:
        return ranked_pages.page(self, self.data, request)

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        return self.ranking().rank(now, deadline=monotonic() + seconds)

    def ranking(self) -> LikesRanking:
        """How its posts are ranked."""
        return LikesRanking(
            self.formula,
            self.window,
            self.parameters.min_age_minutes,
            self.parameters.min_likes,
            self.parameters.following_max,
            self.condition,
        )

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        likes = self._likes(posts, moment)
        ages = {post: max(moment - micros_of_tid(post.rkey), 0) / HOUR for post in posts}
        return {post: self.reason(likes.get(post, 0), age) for post, age in ages.items()}

    def _likes(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, int]:
        """Live likes of each post, counted again as the ranking does: a stored ranking keeps only the order."""
        found = like_counts.liked_exact(
            [post.rkey for post in posts],
            formula="likes",
            now=moment,
            likes_from=oldest_like(moment, self.window),
            min_likes=1,
            condition=like_counts.LISTABLE,
            limits=queries.PAGE,
        )
        return likes_of(found)


class NetworkFeed(LikesFeed[N]):
    """Ranks the root posts of the whole network."""

    @property
    def condition(self) -> PostCondition:
        return like_counts.root_posts(self.parameters.language, self.parameters.media)


def likes_of(ranked: Sequence[RankedPost]) -> dict[PostKey, int]:
    """Post -> likes, for posts that are scored by their number of likes."""
    return {post.key: round(post.score) for post in ranked}


def likes_in_words(likes: int) -> str:
    """For example "1 like" or "12 likes"."""
    return f"{likes} like" if likes == 1 else f"{likes} likes"
