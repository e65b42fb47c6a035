"""What a kind of feed is: everything that pages, forms, checks and previews need from it, in one record."""

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
    """One kind of feed. Its module defines it and `feeds.kinds.KINDS` lists it; nothing else refers to a kind by name.

    The feed itself says why a post is in it (`Feed.reasons`) and whether it is ranked (`RankedFeed`).
    """

    name: str
    #: A description, shown where people choose a kind.
    meaning: str
    #: Its parameters: a dataclass as in feeds.ranking.parameters. A kind with the parameter `label` has members.
    parameters: type[P]
    #: Makes the feed from a definition and its parameters.
    make: Callable[[Definition, P, FeedData], Feed]
    #: Advice in the preview of a feed that shows nothing.
    when_empty: str
    #: Whether its feeds have a list of chosen posts (`Definition.posts`).
    has_list: bool = False
    #: Defaults set by the site's configuration; they override the defaults of the parameters.
    site_defaults: Callable[[Config], Mapping[str, Any]] = _nothing

    @property
    def declared(self) -> tuple[Parameter, ...]:
        """Its parameters, in the order of the form."""
        return declared(self.parameters)

    @property
    def may_be_private(self) -> bool:
        """Whether its feeds use a label: the actors with that label are the members, who can read a private feed."""
        return any(parameter.name == LABEL for parameter in self.declared)
