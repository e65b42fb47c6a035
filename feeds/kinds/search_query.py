"""The posts that a feed made of a search asks for: its query and the guards of its other parameters, as a condition."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.ttl_cache import TtlCache
from feeds.ranking.feed import FeedUnavailable
from feeds.ranking.parameters import in_words
from indexer.index.query import conditions
from indexer.index.query.cutting import cuts_of
from indexer.index.query.parse import BadQuery, parse
from indexer.index.query.resolve import resolve
from indexer.index.query.resolved import Resolved
from indexer.index.query.tree import Filter, Key, Not, Phrase, Word, both, either

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from feeds.kinds.search_parameters import SearchParameters
    from indexer.index.query.conditions import Where
    from indexer.index.query.resolved import Cut
    from indexer.index.query.tree import Node

log = structlog.get_logger(__name__)

#: How long a process keeps what a query names: handles seldom change their account.
RESOLVED_SECONDS: Final = 600

MEMBERS: Final = "did IN (SELECT did FROM actor_labels FINAL WHERE label = {members_of:String} AND deleted = 0)"
ROOTS: Final = "parent_uri = ''"
NO_LABELS: Final = "empty(labels)"
_HAS_MEDIA: Final = conditions.TRAITS[Key.HAS, "media"]
MEDIA: Final = {"with": _HAS_MEDIA, "without": f"NOT {_HAS_MEDIA}"}


def guards(parameters: SearchParameters) -> Iterator[tuple[str, str]]:
    """What else than the query a post must meet: in words, and as a condition on the table posts."""
    if parameters.members_of:
        yield f"its author has the label {parameters.members_of}", MEMBERS
    if not parameters.replies:
        yield "it is not a reply", ROOTS
    if not parameters.self_labelled:
        yield "its author did not label it", NO_LABELS
    if parameters.media in MEDIA:
        yield f"it is {parameters.media} pictures or a video", MEDIA[parameters.media]


def where(parameters: SearchParameters, resolved: Resolved, *, now: int) -> Where:
    """The condition at the moment `now` (unix microseconds). Raises BadQuery for a query that only excludes."""
    found = conditions.where(resolved, now=now)
    more = [condition for _, condition in guards(parameters)]
    return replace(
        found,
        sql=" AND ".join([found.sql, *more]),
        parameters={**found.parameters, **({"members_of": parameters.members_of} if parameters.members_of else {})},
    )


@dataclass(frozen=True, slots=True)
class _Known:
    resolved: Resolved
    at: float


@dataclass(frozen=True)
class ResolvedQueries:
    """What the queries of a process name, kept for RESOLVED_SECONDS; the last known if it cannot be looked up again."""

    clock: Callable[[], float] = monotonic
    _known: TtlCache[SearchParameters, _Known] = field(
        default_factory=lambda: TtlCache(size=1_000, seconds=100 * RESOLVED_SECONDS)
    )
    _lock: Lock = field(default_factory=Lock)

    def of(self, parameters: SearchParameters) -> Resolved:
        """The whole query. Raises ClickHouseError, FeedUnavailable for one that names what cannot be found."""
        known = self._known.peek(parameters)
        if known is not None and self.clock() - known.at < RESOLVED_SECONDS:
            return known.resolved
        try:
            resolved = resolved_parts(parameters).whole
        except (BadQuery, ClickHouseError) as error:
            if known is None:
                if isinstance(error, ClickHouseError):
                    raise
                raise FeedUnavailable(f"the query of this feed cannot be asked now: {in_words(error)}") from error
            log.warning("feed.query_not_resolved", error=type(error).__name__)
            resolved = known.resolved
        self._known.put(parameters, _Known(resolved, self.clock()))
        return resolved


@dataclass(frozen=True, slots=True)
class ResolvedParts:
    """A query, and what its settings add to it, looked up."""

    query: Resolved
    languages: tuple[Node, ...]
    #: Each blocked word with its node; those that are nothing to the index are left out.
    blocked: tuple[tuple[str, Node], ...]
    cuts: Mapping[str, Cut]

    @property
    def whole(self) -> Resolved:
        """All of it as one query."""
        nodes = [self.query.node, *self.languages]
        if self.blocked:
            nodes.append(Not(either(*(node for _, node in self.blocked))))
        return Resolved(both(*nodes), self.cuts)


def resolved_parts(parameters: SearchParameters) -> ResolvedParts:
    """The query, the languages and the blocked words, looked up now. Raises BadQuery, ClickHouseError."""
    query = resolve(parse(parameters.query))
    cuts = dict(query.cuts)
    languages = [Filter(Key.LANG, language.lower()) for language in parameters.languages]
    blocked = {word: _blocked(word) for word in parameters.blocked_words}
    cuts |= cuts_of({node.text for node in blocked.values()})
    return ResolvedParts(
        query,
        (either(*languages),) if languages else (),
        tuple((word, node) for word, node in blocked.items() if not cuts[node.text].is_empty),
        cuts,
    )


def _blocked(text: str) -> Word | Phrase:
    plain = " ".join(text.split())
    return Phrase(plain) if re.search(r"\s", plain) else Word(plain)
