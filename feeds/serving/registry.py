"""The registry of this site's feeds, made from their definitions by their kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import structlog

from atsite.core.atproto.syntax import Rkey
from atsite.core.config import config
from atsite.core.copies.errors import Undecidable
from atsite.core.copies.process_copies import LocalCopy
from feeds import definitions
from feeds.kinds import make_feed
from feeds.ranking.feed import Feed, FeedUnavailable, InvalidDefinition, UnknownFeed
from feeds.ranking.page_data import FeedData
from feeds.ranking.ranking import RankedFeed
from feeds.ranking.tails import TailedFeed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from atsite.core.atproto.aturi import AtUri
    from feeds.ranking.feed import Definition

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the feed with this name is not served."""

    rkey: str
    reason: str

    def __str__(self) -> str:
        return f"feed {self.rkey!r}: {self.reason}"


@dataclass(frozen=True)
class Registry:
    """The feeds that are served, by the at-uri of their generator record, and the definitions that cannot be served."""

    feeds: Mapping[AtUri, Feed]
    problems: tuple[Problem, ...] = ()
    #: What the feeds make their pages from.
    data: FeedData = field(default_factory=FeedData)

    @classmethod
    def of(cls, defined: Iterable[Definition], data: FeedData) -> Self:
        """Make the feeds. A definition that cannot be served is left out and listed in `problems`."""
        feeds: dict[AtUri, Feed] = {}
        problems: list[Problem] = []
        for definition in defined:
            try:
                feed = make_feed(definition, data)
            except InvalidDefinition as error:
                problems.append(Problem(definition.rkey, str(error)))
                continue
            if definition.uri in feeds:
                problems.append(Problem(definition.rkey, "the publisher has two feeds of this name"))
                continue
            feeds[definition.uri] = feed
        return cls(feeds, tuple(problems), data)

    def find(self, uri: AtUri) -> Feed:
        """The feed with this at-uri (publisher, collection and rkey). Raises UnknownFeed."""
        feed = self.feeds.get(uri)
        if feed is None:
            raise UnknownFeed("this feed generator has no such feed")
        return feed

    def __iter__(self) -> Iterator[Feed]:
        return iter(self.feeds.values())


@lru_cache(maxsize=1)
def _data() -> FeedData:
    """One per process: its caches outlive changes of the definitions."""
    return FeedData()


def _load() -> Registry:
    loaded = Registry.of(definitions.enabled(config), _data())
    for problem in loaded.problems:
        log.error("feed.left_out", feed=problem.rkey, reason=problem.reason)
    return loaded


_copy = LocalCopy("feeds", _load)


def registry() -> Registry:
    """This site's feeds, at most a second behind their definitions; if `default` is down, the last known ones.

    It may read `default`, so coroutines must call it in a thread. Raises FeedUnavailable if `default` is down and was
    never read by this process.
    """
    try:
        return _copy.get()
    except Undecidable as error:
        raise FeedUnavailable("the feeds of this site cannot be read now") from error


def feed_named(rkey: str) -> Feed:
    """The feed with this name; the one of FEED_ACTOR_DID if several publishers have one.

    Raises UnknownFeed, which lists the known names, and FeedUnavailable.
    """
    feeds = sorted(registry(), key=_is_ours)  # ours last, so it wins
    named = {feed.definition.rkey: feed for feed in feeds}
    try:
        return named[Rkey(rkey)]
    except KeyError:
        known = ", ".join(named) or "none: set FEED_ACTOR_DID"
        raise UnknownFeed(f"there is no feed {rkey!r} here; known: {known}") from None


def _is_ours(feed: Feed) -> bool:
    return feed.definition.publisher == config.feed_actor_did


def ranked_feeds(feeds: Iterable[Feed]) -> list[RankedFeed]:
    """Those with a stored ranking, which is refreshed."""
    return [feed for feed in feeds if isinstance(feed, RankedFeed)]


def tailed_feeds(feeds: Iterable[Feed]) -> list[TailedFeed]:
    """Those whose newest posts are kept, and are brought up to date."""
    return [feed for feed in feeds if isinstance(feed, TailedFeed)]
