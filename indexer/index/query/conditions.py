"""The condition on the table posts that a query is, and its parameters. PURE.

Every condition is a constant of this module; untrusted input is always a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import nearest_tid
from indexer.index.query import values
from indexer.index.query.parse import check_asks_for_something
from indexer.index.query.period import micros_of
from indexer.index.query.tree import And, Filter, Key, Not, Or, Phrase, Word
from indexer.index.query.write import write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indexer.index.query.resolved import Cut, Resolved
    from indexer.index.query.tree import Node

#: An eligible post's createdAt is at most so much older than its rkey, and nothing else of sort_at is older still.
OLDEST_SORT_AT_MICROS: Final = 24 * 3600 * 1_000_000
#: How far back a search reads that no index helps (one character of an unspaced script, a language alone): about 4
#: million texts of the whole network, a second or two on two cores; a year would be a thousand times that.
UNINDEXED_MICROS: Final = 24 * 3600 * 1_000_000
#: Pairs of characters, and of neighbours in a phrase, asked of the index. A text that has these has nearly always the
#: rest; what is left is compared as text anyway.
PAIRS_MAX: Final = 16

ELIGIBLE: Final = "deleted = 0 AND eligible"
# Expressions of indexes: only so are they used. A part of the table that has none yet is read.
TOKENS: Final = "hasAll(atsiteWordTokens(words), {VALUE:Array(String)})"
ANY_OF_TOKENS: Final = "hasAny(atsiteWordTokens(words), {VALUE:Array(String)})"
TAG: Final = "has(tags, {VALUE:String})"
MENTIONS: Final = "has(mentions, {VALUE:String})"
TO: Final = "has(atsiteAddressees(mentions, parent_uri), {VALUE:String})"
DOMAIN: Final = "has(domains, {VALUE:String})"
URL: Final = "hasAny(links, {VALUE:Array(String)})"
# Keys first: the primary key of posts begins with the rkey, so a few rkeys are a few granules.
FROM: Final = "(did = {VALUE:String} AND rkey IN (SELECT rkey FROM posts_by_actor WHERE did = {VALUE:String}))"
PARTS: Final = "NOT has(multiSearchAllPositions(words, {VALUE:Array(String)}), 0)"
PHRASE: Final = "position(words, {VALUE:String}) > 0"
#: The same where the phrase has characters of unspaced scripts.
UNITS: Final = "position(atsiteUnitsOfWords(words), {VALUE:String}) > 0"
LANG: Final = "atsiteHasLanguage(langs, {VALUE:String})"
# sort_at is never later than the rkey's own time, and of an eligible post at most a day earlier: both ends of a period
# are ends of a key range, too.
SINCE: Final = "toUnixTimestamp64Micro(sort_at) >= {VALUE:Int64}"
UNTIL: Final = "toUnixTimestamp64Micro(sort_at) < {VALUE:Int64}"
FROM_RKEY: Final = "rkey >= {VALUE:String}"
BELOW_RKEY: Final = "rkey < {VALUE:String}"
TRAITS: Final[Mapping[tuple[Key, str], str]] = {
    (Key.HAS, "media"): "(images > 0 OR has_video = 1)",
    (Key.HAS, "images"): "images > 0",
    (Key.HAS, "video"): "has_video = 1",
    (Key.HAS, "alt"): "images_with_alt > 0",
    (Key.HAS, "link"): "notEmpty(links)",
    (Key.IS, "reply"): "parent_uri != ''",
    (Key.IS, "root"): "parent_uri = ''",
    (Key.IS, "quote"): "quote_uri != ''",
}
#: How the conditions begin that hold for nearly all that have the neighbours of a phrase, but read texts.
_PHRASES: Final = tuple(each.partition("{VALUE")[0] for each in (PHRASE, UNITS))
_BY_INDEX: Final = frozenset({Key.FROM, Key.TO, Key.MENTIONS, Key.DOMAIN, Key.URL, Key.TAG})


@dataclass(frozen=True, slots=True)
class Where:
    """A conjunction in SQL, and its parameters."""

    sql: str
    parameters: Mapping[str, object]
    #: The same as far as indexes tell: without what is compared with texts, and without ELIGIBLE.
    index_sql: str
    #: Older posts are not looked at, since no index helps (unix microseconds); None: all are.
    searched_since: int | None = None
    #: Every match is by this author (a did); None: of any author.
    author: str | None = None
    #: The query in one spelling, with dids.
    text: str = ""
    #: The period that every match is of (unix microseconds); `until` is not included.
    since: int | None = None
    until: int | None = None


def where(resolved: Resolved, *, now: int) -> Where:
    """The posts that a query asks for at the moment `now` (unix microseconds).

    Raises BadQuery for a query that only excludes.
    """
    node = resolved.node
    check_asks_for_something(node)
    writer = _Writer(resolved.cuts)
    conditions = [ELIGIBLE, *writer.each(_conjuncts(node))]
    ends = _ends(node)
    if ends.since is not None:
        conditions.append(writer.bound(FROM_RKEY, nearest_tid(ends.since)))
    if ends.until is not None:
        conditions.append(writer.bound(BELOW_RKEY, nearest_tid(ends.until + OLDEST_SORT_AT_MICROS)))
    since = None
    if not _indexed(node, resolved.cuts):
        since = (now if ends.until is None else min(now, ends.until)) - UNINDEXED_MICROS
        conditions.append(writer.bound(FROM_RKEY, nearest_tid(since)))
        if ends.since is not None and ends.since >= since:
            since = None
    authors = [part.value for part in _conjuncts(node) if isinstance(part, Filter) and part.key is Key.FROM]
    return Where(
        " AND ".join(conditions),
        writer.parameters,
        " AND ".join(each for each in conditions[1:] if not each.startswith(_PHRASES)),
        searched_since=since,
        author=next(iter(authors), None),
        text=write(node),
        since=ends.since,
        until=ends.until,
    )


def each_alone(nodes: Sequence[Node], cuts: Mapping[str, Cut]) -> tuple[list[str], Mapping[str, object]]:
    """The condition of each of `nodes`, which are resolved, and the parameters of all."""
    writer = _Writer(cuts)
    return [writer.condition(node) for node in nodes], writer.parameters


@dataclass(frozen=True, slots=True)
class Ends:
    """The period that every match is of, in unix microseconds; `until` is not included."""

    since: int | None
    until: int | None


def _ends(node: Node) -> Ends:
    since = [micros_of(part.value) for part in _conjuncts(node) if isinstance(part, Filter) and part.key is Key.SINCE]
    until = [micros_of(part.value) for part in _conjuncts(node) if isinstance(part, Filter) and part.key is Key.UNTIL]
    return Ends(max(since, default=None), min(until, default=None))


def _conjuncts(node: Node) -> Sequence[Node]:
    return node.parts if isinstance(node, And) else (node,)


def _indexed(node: Node, cuts: Mapping[str, Cut]) -> bool:
    """Whether an index finds every match: each branch has a word, a value of an indexed list, or an author."""
    match node:
        case Word(text) | Phrase(text):
            return bool(cuts[text].words or cuts[text].pairs)
        case Filter(key, _):
            return key in _BY_INDEX
        case And(parts):
            return any(_indexed(part, cuts) for part in parts)
        case Or(parts):
            return all(_indexed(part, cuts) for part in parts)
        case _:
            return False


def _tokens(cut: Cut) -> list[str]:
    return [*cut.words, *cut.pairs[:PAIRS_MAX]]


def _parts(cut: Cut) -> list[str]:
    """Runs that their pairs do not prove: a single character, and three or more."""
    pairs = cut.pairs[:PAIRS_MAX]
    return [run for run in cut.runs if run not in pairs]


@dataclass
class _Writer:
    """Writes conditions, and gives each value a parameter of its own."""

    cuts: Mapping[str, Cut]
    parameters: dict[str, object] = field(default_factory=dict)

    def condition(self, node: Node) -> str:
        match node:
            case Not(part):
                return f"NOT ({self.condition(part)})"
            case Or(parts):
                return f"({' OR '.join(self.any(parts))})"
            case _:
                conditions = self.each(_conjuncts(node))
                return conditions[0] if len(conditions) == 1 else f"({' AND '.join(conditions)})"

    def bound(self, sql: str, value: object) -> str:
        """The condition, with `value` as its parameter."""
        name = f"q{len(self.parameters)}"
        self.parameters[name] = value
        return sql.replace("{VALUE:", f"{{{name}:")

    def each(self, nodes: Sequence[Node]) -> list[str]:
        """Conditions that hold together for all of `nodes`. Texts share theirs, as each costs planning time."""
        texts = [(node, self.cuts[node.text]) for node in nodes if isinstance(node, Word | Phrase)]
        phrases = [self.cuts[node.text] for node in nodes if isinstance(node, Phrase)]
        tokens = dict.fromkeys(
            [
                *(token for _, cut in texts for token in _tokens(cut)),
                *(token for cut in phrases for token in cut.neighbours[:PAIRS_MAX]),
            ]
        )
        parts = dict.fromkeys(part for node, cut in texts if isinstance(node, Word) for part in _parts(cut))
        return [
            *([self.bound(TOKENS, list(tokens))] if tokens else []),
            *([self.bound(PARTS, list(parts))] if parts else []),
            *(self.bound(UNITS if cut.runs else PHRASE, cut.units) for cut in phrases),
            *(self._other(node) for node in nodes if not isinstance(node, Word | Phrase)),
        ]

    def any(self, nodes: Sequence[Node]) -> list[str]:
        """Conditions of which one holds for any of `nodes`. Words that are a token each share theirs."""
        single = {node: _tokens(self.cuts[node.text]) for node in nodes if isinstance(node, Word)}
        single = {node: found for node, found in single.items() if len(found) == 1 and not _parts(self.cuts[node.text])}
        if len(single) < 2:
            return list(map(self.condition, nodes))
        tokens = dict.fromkeys(token for found in single.values() for token in found)
        others = [node for node in nodes if node not in single]
        return [self.bound(ANY_OF_TOKENS, list(tokens)), *map(self.condition, others)]

    def _other(self, node: Not | And | Or | Filter) -> str:
        match node:
            case Filter(Key.TAG, value):
                return self.bound(TAG, self.cuts[value].tag)
            case Filter(Key.URL, value):
                return self.bound(URL, values.spellings_of(value))
            case Filter(Key.SINCE | Key.UNTIL as key, value):
                return self.bound(SINCE if key is Key.SINCE else UNTIL, micros_of(value))
            case Filter(key, value) if (key, value) in TRAITS:
                return TRAITS[key, value]
            case Filter(key, value):
                return self.bound(_BY_VALUE[key], value)
            case _:
                return self.condition(node)


_BY_VALUE: Final[Mapping[Key, str]] = {
    Key.FROM: FROM,
    Key.TO: TO,
    Key.MENTIONS: MENTIONS,
    Key.LANG: LANG,
    Key.DOMAIN: DOMAIN,
}
