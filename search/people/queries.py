"""What a search of people asks ClickHouse. Each statement reads a bounded number of rows, whatever is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits
from indexer.index.query.cutting import cuts_of
from search.people.asked import FUZZY_FROM, HEAD, LONG_HEAD, Asked, close_to, near

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

#: A person types and waits.
PEOPLE: Final = Limits(max_execution_time=2, max_memory_usage=300_000_000, readonly=True, answer_grace=3, logged=False)
#: Tokens read for one beginning, in their order: all, unless it is in people_popular, which then has the best of them.
RANGE_MAX: Final = 5_000
#: The same where other words of the query say which of them are looked for.
RANGE_MAX_WORDS: Final = 20_000
#: The longest beginning that people_popular has.
POPULAR_LETTERS: Final = 12
#: Rows read to find what is one edit apart.
NEAR_MAX: Final = 150_000
#: Accounts that one search looks at, the most followed of those found.
CANDIDATES_MAX: Final = 1_000
#: The newest follows of a viewer that are looked through.
FOLLOWS_MAX: Final = 2_000


def cut(text: str) -> Asked:
    """The query, cut as names are. Raises ClickHouseError."""
    found = cuts_of([text])[text]
    return Asked.of(found.folded, found.words, found.runs)


RANGE: Final = """
SELECT did, COLUMNS
FROM people_tokens
WHERE startsWith(substringUTF8(token, 1, 4), {head_N:String}) AND startsWith(token, {prefix_N:String})
ORDER BY substringUTF8(token, 1, 4), substringUTF8(token, 1, 6), token, did
LIMIT {rows:UInt32}
"""
# The newest words of an account and its count may be in two rows that are not merged yet.
HAVING_OTHERS: Final = """
SELECT did, ranked
FROM (SELECT did, tupleElement(max(known), 2) AS words, max(ranked) AS ranked FROM (ROWS) GROUP BY token, did)
WHERE OTHERS
"""
POPULAR: Final = """
SELECT did, number AS ranked
FROM people_popular FINAL
ARRAY JOIN dids AS did, followers AS number
WHERE prefix IN {popular:Array(String)}
"""
UNION: Final = " UNION ALL "
CANDIDATES: Final = """
SELECT did FROM (PARTS)
GROUP BY did
ORDER BY bitAnd(max(ranked), 4294967295) DESC, did
LIMIT {most:UInt32}
"""


def candidates(asked: Asked) -> list[Did]:
    """Accounts with a token that begins as is asked, the most followed first; some had it once.

    Raises ClickHouseError.
    """
    others, params = _others(asked, exact=True)
    parts = []
    for number, prefix in enumerate(asked.prefixes):
        parts.append(_part(RANGE, number, others if prefix == asked.driver else ""))
        params |= {f"head_{number}": prefix[:HEAD], f"prefix_{number}": prefix}
    statement = CANDIDATES.replace("PARTS", UNION.join([*parts, POPULAR]))
    rows = RANGE_MAX_WORDS if asked.other_words or asked.other_runs else RANGE_MAX
    params |= {"rows": rows, "popular": list(asked.prefixes), "most": CANDIDATES_MAX}
    return door.column(statement, params, name="search.people", limits=PEOPLE)


NEAR: Final = """
SELECT did, COLUMNS
FROM people_tokens
WHERE substringUTF8(token, 1, 4) IN {heads_N:Array(String)} AND LONG AND match(token, {pattern_N:String})
"""
_BOUNDED: Final = f"SETTINGS max_rows_to_read = {NEAR_MAX}, read_overflow_mode = 'break'"


def near_candidates(asked: Asked) -> list[Did]:
    """Likewise with a token that is at most one edit apart from what is asked. Raises ClickHouseError."""
    others, params = _others(asked, exact=False)
    parts: list[str] = []
    popular: set[str] = set()
    for number, text in enumerate(asked.misspelt):
        long = len(text) >= LONG_HEAD
        part = NEAR.replace("LONG", "substringUTF8(token, 1, 6) IN {long_N:Array(String)}" if long else "1")
        parts.append(_part(part, number, others if text == asked.driver else ""))
        params |= {f"heads_{number}": list(near(text, HEAD)), f"pattern_{number}": f"(?s)^{close_to(text)}"}
        if long:
            params[f"long_{number}"] = list(near(text, LONG_HEAD))
        if len(text) <= POPULAR_LETTERS:
            popular.update(near(text, len(text)))
    statement = CANDIDATES.replace("PARTS", UNION.join([*parts, POPULAR])) + _BOUNDED
    params |= {"popular": sorted(popular), "most": CANDIDATES_MAX}
    return door.column(statement, params, name="search.people_near", limits=PEOPLE)


FOLLOWED: Final = """
SELECT DISTINCT did
FROM people_facts
WHERE did IN
(
    SELECT subject_did FROM follows FINAL
    WHERE did = {viewer:String} AND deleted = 0
    ORDER BY rkey DESC
    LIMIT {follows:UInt32}
)
AND (fact = 'handle' AND {handle:String} != '' AND HANDLE OR fact = 'name' AND words != '' AND NAME)
LIMIT {most:UInt32}
"""


def followed(asked: Asked, viewer: Did, *, exact: bool) -> list[Did]:
    """Those that the viewer follows and that have, or had, such names. Raises ClickHouseError."""
    name, params = _others(asked, exact=exact, also_driver=True)
    if exact or len(asked.handle) < FUZZY_FROM:
        handle = "startsWith(value, {handle:String})"
    else:
        handle = "match(value, {handle_pattern:String})"
        params["handle_pattern"] = f"(?s)^{close_to(asked.handle)}"
    statement = FOLLOWED.replace("HANDLE", handle).replace("NAME", name if asked.driver else "0")
    params |= {"viewer": viewer, "handle": asked.handle, "follows": FOLLOWS_MAX, "most": CANDIDATES_MAX}
    return door.column(statement, params, name="search.people_followed", limits=PEOPLE)


def _part(rows: str, number: int, others: str) -> str:
    """The statement of one beginning, whose parameters end in its number; with the condition for the other words."""
    columns = "ranked"
    if others:
        columns = "token, known, ranked"
        rows = HAVING_OTHERS.replace("ROWS", rows).replace("OTHERS", others)
    return f"({rows.replace('COLUMNS', columns).replace('_N', f'_{number}')})"


def _others(asked: Asked, *, exact: bool, also_driver: bool = False) -> tuple[str, dict[str, object]]:
    """The condition that `words` of a name has the other words of the query, and its parameters; empty without any."""
    words, runs = (asked.words, asked.runs) if also_driver else (asked.other_words, asked.other_runs)
    conditions, params = list[str](), dict[str, object]()
    for number, word in enumerate(words):
        if exact or len(word) < FUZZY_FROM:
            conditions.append(f"position(concat(' ', words), {{word_{number}:String}}) > 0")
            params[f"word_{number}"] = f" {word}"
        else:
            conditions.append(f"match(concat(' ', words), {{word_{number}:String}})")
            params[f"word_{number}"] = f"(?s) {close_to(word)}"
    for number, run in enumerate(runs):
        conditions.append(f"position(words, {{run_{number}:String}}) > 0")
        params[f"run_{number}"] = run
    return " AND ".join(conditions), params
