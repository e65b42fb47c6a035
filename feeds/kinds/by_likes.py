"""What kinds share that rank root posts by likes: all but their window and their formula."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from feeds.kinds.likes import LikesRanking
from feeds.ranking import ranked
from feeds.ranking.feed import FeedDescription, describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.kinds.likes import Formula
    from feeds.ranking.feed import Definition, FeedPage, FeedRequest
    from feeds.ranking.page_data import FeedData
    from feeds.ranking.ranking import RankedPost


class LikesParameters(Protocol):
    """What a definition of such a kind says beside its window."""

    @property
    def min_age_minutes(self) -> int: ...
    @property
    def min_likes(self) -> int: ...
    @property
    def following_max(self) -> int: ...
    @property
    def refresh_seconds(self) -> int: ...
    @property
    def language(self) -> str: ...
    @property
    def media(self) -> str: ...


P = TypeVar("P", bound=LikesParameters)


@dataclass(frozen=True)
class ByLikes(Generic[P]):
    """A ranked feed (feeds.ranking.ranked.RankedFeed); a kind says its `formula` and its `window`."""

    definition: Definition
    parameters: P
    data: FeedData

    formula: ClassVar[Formula]

    @property
    @abstractmethod
    def window(self) -> int:
        """Age of the oldest post, in hours."""

    @property
    def depends_on_viewer(self) -> bool:
        return False

    @property
    def refresh_seconds(self) -> int:
        return self.parameters.refresh_seconds

    def page(self, request: FeedRequest) -> FeedPage:
        return ranked.page(self, self.data, request)

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        ranks = LikesRanking(
            self.formula,
            self.window,
            self.parameters.min_age_minutes,
            self.parameters.min_likes,
            self.parameters.following_max,
            self.parameters.language,
            self.parameters.media,
        )
        return ranks.rank(now, seconds=seconds)
