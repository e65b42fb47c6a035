"""What a kind of feed is: everything that pages, forms, checks and previews need from it, in one record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from feeds.ranking.feed import LABEL, Feed
from feeds.ranking.parameters import QueryText, declared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from atsite.core.clickhouse.limits import Limits
    from atsite.core.config import Config
    from feeds.ranking.feed import Definition, PostKey
    from feeds.ranking.page_data import FeedData
    from feeds.ranking.parameters import Parameter

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Finding:
    """A part of a query, or a setting, and whether it holds for a post.

    `depth`: how many parts of the query it stands in. Those with 0 decide: the post is in the feed if all of them hold.
    """

    what: str
    holds: bool
    depth: int = 0


@runtime_checkable
class MadeOfAQuery(Feed, Protocol):
    """A feed that can say for any post and any time what would be in it."""

    def explain(self, post: PostKey, now: int) -> Sequence[Finding]:
        """What decides about a post, the query first; nothing if it is not indexed.

        Raises FeedUnavailable, ClickHouseError.
        """

    def count(self, since: int, until: int, *, limits: Limits) -> int:
        """How many posts of a period (unix microseconds) the query and the settings let in.

        Raises FeedUnavailable, ClickHouseError (QueryTimedOut, MemoryLimit).
        """


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

    @property
    def has_query(self) -> bool:
        """Whether its feeds are made of a query (MadeOfAQuery)."""
        return any(isinstance(parameter.check, QueryText) for parameter in self.declared)
