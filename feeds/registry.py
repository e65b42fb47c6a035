"""The kinds of feeds, and the feeds of this site: a feed is a definition (data) that names its kind (code)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Self

from atsite.atproto.syntax import Did, Rkey, is_did, is_rkey
from atsite.config import Config, config
from feeds.feed import Feed, Definition, InvalidDefinition, UnknownFeed
from feeds.kinds.hot import Hot
from feeds.ranked import RankedData, RankedFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from atsite.atproto.aturi import AtUri

#: Name -> what makes a feed of a definition (raises InvalidDefinition). Sorted; a kind is one line here.
KINDS: Final[Mapping[str, Callable[[Definition, RankedData], Feed]]] = {
    "hot": Hot.of,
}


@dataclass(frozen=True)
class Registry:
    """The feeds that can be asked for, by the at-uri of their generator record."""

    feeds: Mapping[AtUri, Feed]

    @classmethod
    def of(cls, definitions: Iterable[Definition], data: RankedData) -> Self:
        """Raises InvalidDefinition on the first definition that cannot be served."""
        feeds: dict[AtUri, Feed] = {}
        for definition in definitions:
            if problem := problem_of(definition):
                raise InvalidDefinition(f"feed {definition.rkey!r}: {problem}")
            if definition.uri in feeds:
                raise InvalidDefinition(f"feed {definition.rkey!r}: the publisher has two feeds of this name")
            feeds[definition.uri] = KINDS[definition.kind](definition, data)
        return cls(feeds)

    def find(self, uri: AtUri) -> Feed:
        """The feed at this address: publisher, collection and rkey. Raises UnknownFeed."""
        feed = self.feeds.get(uri)
        if feed is None:
            raise UnknownFeed("this feed generator has no such feed")
        return feed

    def __iter__(self) -> Iterator[Feed]:
        return iter(self.feeds.values())


def problem_of(definition: Definition) -> str:
    """Why a definition cannot be served, in words; empty where it can (its parameters are the kind's to judge)."""
    if not is_did(definition.publisher):
        return f"the publisher {definition.publisher!r} is no did"
    if not is_rkey(definition.rkey):
        return "the name is no record key (https://atproto.com/specs/record-key)"
    if definition.kind not in KINDS:
        return f"there is no kind {definition.kind!r}: expected one of {', '.join(KINDS)}"
    return ""


def definitions(site: Config) -> tuple[Definition, ...]:
    """The feeds of a site; none before FEED_ACTOR_DID says whose they are."""
    if not site.feed_actor_did:
        return ()
    return (
        Definition(
            publisher=Did(site.feed_actor_did),
            rkey=Rkey("whats-hot"),
            kind="hot",
            display_name="What's Hot",
            description="The posts of the last day that the network likes most.",
            parameters={"min_likes": site.feed_min_likes},
        ),
    )


@lru_cache(maxsize=1)
def registry() -> Registry:
    """This process's feeds. Raises InvalidDefinition."""
    return Registry.of(definitions(config), RankedData())


def feed_named(rkey: str) -> Feed:
    """The feed of FEED_ACTOR_DID with this name. Raises UnknownFeed with the names there are, InvalidDefinition."""
    feeds = {feed.definition.rkey: feed for feed in registry()}
    try:
        return feeds[Rkey(rkey)]
    except KeyError:
        known = ", ".join(feeds) or "none: set FEED_ACTOR_DID"
        raise UnknownFeed(f"there is no feed {rkey!r} here; known: {known}") from None


def ranked_feeds(feeds: Iterable[Feed]) -> list[RankedFeed]:
    """Those that are refreshed."""
    return [feed for feed in feeds if isinstance(feed, RankedFeed)]
