"""What kinds share that rank root posts by likes: all but their window and their formula."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar

from feeds import ranked
from feeds.feed import FeedDescription, describe
from feeds.likes import LikesRanking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.data import FeedData
    from feeds.feed import Definition, FeedPage, FeedRequest
    from feeds.likes import Formula
    from feeds.ranking import RankedPost


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
    """A ranked feed (feeds.ranked.RankedFeed); a kind says its `formula` and its `window`."""

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
