"""What a kind of feed is: everything that a page, a form, a check or a preview asks of it, in one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from feeds.ranking.feed import LABEL
from feeds.ranking.parameters import declared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from atsite.core.config import Config
    from feeds.ranking.feed import Definition, Feed
    from feeds.ranking.page_data import FeedData
    from feeds.ranking.parameters import Parameter

P = TypeVar("P")


def _nothing(site: Config) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Kind(Generic[P]):
    """One kind of feed. Its module makes it, and `feeds.kinds.KINDS` lists it; nothing else names a kind.

    Why a post stands in a feed, and whether the feed is ranked, the feed itself tells (`Feed.reasons`, `RankedFeed`).
    """

    name: str
    #: What it is, for people who choose one.
    meaning: str
    #: What its definitions may say: a dataclass of feeds.ranking.parameters. One that declares `label` has members.
    parameters: type[P]
    #: The feed of a definition and its parameters.
    make: Callable[[Definition, P, FeedData], Feed]
    #: What to do about a feed that shows nothing, for people who preview it.
    when_empty: str
    #: Whether people choose its posts (`Definition.posts`).
    has_list: bool = False
    #: What a site says where a definition says nothing; the defaults of the parameters come after it.
    site_defaults: Callable[[Config], Mapping[str, Any]] = _nothing

    @property
    def declared(self) -> tuple[Parameter, ...]:
        """Its parameters, in the order of a form."""
        return declared(self.parameters)

    @property
    def may_be_private(self) -> bool:
        """Whether its definitions name a label: the actors who carry it are members, and can be told apart."""
        return any(parameter.name == LABEL for parameter in self.declared)
