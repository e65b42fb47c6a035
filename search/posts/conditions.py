"""Which posts a search is about, as conditions of SQL and their parameters. PURE.

Every condition is a constant of this module; untrusted input is always a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import MICROS_MAX, tid_of_micros

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atsite.core.atproto.syntax import Did

#: An eligible post's createdAt is at most so much older than its rkey, and nothing else of sort_at is older still.
OLDEST_SORT_AT_MICROS: Final = 24 * 3600 * 1_000_000
#: How far back a search reads that no index helps (one character of an unspaced script): about 4 million texts of the
#: whole network, a second or two on two cores; a year would be a thousand times that.
UNINDEXED_MICROS: Final = 24 * 3600 * 1_000_000

ELIGIBLE: Final = "deleted = 0 AND eligible"
# The expression of the index `tokens`: only so is the index used. Where a part has none yet, the texts are read.
TOKENS: Final = "hasAll(atsiteSearchTokens(text), {tokens:Array(String)})"
PARTS: Final = "NOT has(multiSearchAllPositions(atsiteFoldedText(text), {parts:Array(String)}), 0)"
LANG: Final = "atsiteHasLanguage(langs, {lang:String})"
# Keys first: the primary key of posts begins with the rkey, so a few rkeys are a few granules.
AUTHOR: Final = "did = {author:String} AND rkey IN (SELECT rkey FROM posts_by_actor WHERE did = {author:String})"
# sort_at is never later than the rkey's own time, and of an eligible post at most a day earlier: both ends of a period
# are ends of a key range, too.
SINCE: Final = "rkey >= {since_rkey:String} AND toUnixTimestamp64Micro(sort_at) >= {since:Int64}"
UNTIL: Final = "rkey < {until_rkey:String} AND toUnixTimestamp64Micro(sort_at) < {until:Int64}"
UNINDEXED: Final = "rkey >= {unindexed_rkey:String}"


@dataclass(frozen=True, slots=True)
class Query:
    """What every post found has: each of `tokens` by the index, and each of `parts` anywhere in its folded text."""

    #: Words, and pairs of neighbours in runs of unspaced scripts. None: no index helps.
    tokens: tuple[str, ...] = ()
    #: Runs of unspaced scripts that their tokens do not prove: a single character, and three or more.
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a search besides its words. `since` (included) and `until` (not) are unix microseconds."""

    lang: str | None = None
    author: Did | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """A conjunction in SQL, and its parameters."""

    sql: str
    parameters: Mapping[str, object]
    #: Cheaper when the keys are found without FINAL first (measured: where the index alone decides, of any author).
    keys_first: bool


def where(query: Query, filters: Filters, *, now: int) -> Where:
    """The posts that `query` and `filters` ask for at the moment `now` (unix microseconds)."""
    conditions = [ELIGIBLE]
    parameters: dict[str, object] = {}
    if query.tokens:
        conditions.append(TOKENS)
        parameters["tokens"] = list(query.tokens)
    if query.parts:
        conditions.append(PARTS)
        parameters["parts"] = list(query.parts)
    if filters.lang is not None:
        conditions.append(LANG)
        parameters["lang"] = filters.lang
    if filters.author is not None:
        conditions.append(AUTHOR)
        parameters["author"] = filters.author
    if filters.since is not None:
        conditions.append(SINCE)
        parameters |= {"since": filters.since, "since_rkey": _tid(filters.since)}
    if filters.until is not None:
        conditions.append(UNTIL)
        parameters |= {"until": filters.until, "until_rkey": _tid(filters.until + OLDEST_SORT_AT_MICROS)}
    if not query.tokens and filters.author is None:
        conditions.append(UNINDEXED)
        newest = now if filters.until is None else min(now, filters.until)
        parameters["unindexed_rkey"] = _tid(newest - UNINDEXED_MICROS)
    keys_first = bool(query.tokens) and not query.parts and filters.author is None
    return Where(" AND ".join(conditions), parameters, keys_first)


def _tid(micros: int) -> str:
    """The smallest TID of the moment, or the nearest moment that TIDs can tell."""
    return tid_of_micros(min(max(micros, 0), MICROS_MAX))
