"""The query language: what the text of a search box asks for.

Plain words, all of which must occur, in any order, case and Unicode form:

* a word of a script with spaces is a whole word of the text. Only letters, digits and their marks make words, so that
  quotes, dashes, no-break spaces and emoji end them: `don't` is `don` and `t`. An emoji is a word of its own, and so
  are C++, C# and F#.
* Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese are looked for anywhere in the text, as those scripts run
  words together.

The store cuts a query as it cuts the texts of the index, by the same functions (indexer/sql/functions/, from
atsiteSearchTokens on), so that the two never differ. Operators (phrases, from:, -word, …) are not read yet: their signs
only separate words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits
from atsite.core.errors import AtsiteError
from search.posts.conditions import Query

#: More words than a post of 300 graphemes is likely to hold.
TERMS_MAX: Final = 64
#: Pairs asked of the index. A text that has these has nearly always the rest; what is left is compared as text anyway.
PAIRS_MAX: Final = 16


class BadQuery(AtsiteError):
    """Nothing can be searched for with this text; the message says why and is safe to show."""


@dataclass(frozen=True, slots=True)
class _Cut:
    words: list[str]
    runs: list[str]
    pairs: list[str]


CUT: Final = """
WITH atsiteFoldedText({text:String}) AS folded, arrayDistinct(atsiteUnspacedRuns(folded)) AS runs
SELECT arrayDistinct(atsiteSpacedWords(folded)), runs, arrayDistinct(atsitePairsOfRuns(runs))
"""
#: A reader waits, and the rest of the search comes after it.
_LIMITS: Final = Limits(max_execution_time=2, max_memory_usage=100_000_000, readonly=True, answer_grace=1)


def parse(text: str) -> Query:
    """What `text` asks for; raises BadQuery where that is nothing or too much, and what the door raises."""
    (cut,) = door.query(CUT, {"text": text}, into=_Cut, name="search.cut", limits=_LIMITS)
    terms = len(cut.words) + len(cut.runs)
    if terms == 0:
        raise BadQuery("there is no word in the query")
    if terms > TERMS_MAX:
        raise BadQuery(f"the query has {terms} words, at most {TERMS_MAX} are searched for")
    pairs = cut.pairs[:PAIRS_MAX]
    return Query((*cut.words, *pairs), tuple(run for run in cut.runs if run not in pairs))
