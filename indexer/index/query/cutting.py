"""Cuts texts as the index cuts those of posts and names. Synchronous."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits
from indexer.index.query.resolved import Cut

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

CUT: Final = """
WITH atsiteWordsInOrder(text) AS words, arrayDistinct(atsiteUnspacedRuns(words)) AS runs
SELECT
    text,
    atsiteSearchText(text),
    arrayDistinct(atsiteSpacedOfWords(words)),
    runs,
    arrayDistinct(atsitePairsOfRuns(runs)),
    if(empty(runs), words, atsiteUnitsOfWords(words)),
    atsiteTag(text)
FROM (SELECT arrayJoin({texts:Array(String)}) AS text)
"""
#: A reader waits, and the rest of the search comes after it.
LIMITS: Final = Limits(max_execution_time=2, max_memory_usage=100_000_000, readonly=True, answer_grace=1, logged=False)
#: Han, kana and Hangul that no fold changes; each is a character of an unspaced script.
_UNSPACED: Final = "\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff\uac00-\ud7a3"
#: Texts that every version of Unicode folds and cuts in the same way: most of what is typed.
_PLAIN: Final = re.compile(rf"[A-Za-z0-9 .@{_UNSPACED}-]*")
_WORD_OR_RUN: Final = re.compile(rf"[a-z0-9]+|[{_UNSPACED}]+")
_UNIT: Final = re.compile(rf"[a-z0-9]+|[{_UNSPACED}]")


def cuts_of(texts: Collection[str]) -> Mapping[str, Cut]:
    """Each text, cut: plain ones here, which saves a statement, others by the store. Raises ClickHouseError."""
    plain = {text: plain_cut(text) for text in texts if _PLAIN.fullmatch(text)}
    others = set(texts) - plain.keys()
    return plain | {cut.text: cut for cut in cut_by_store(others)} if others else plain


def cut_by_store(texts: Collection[str]) -> list[Cut]:
    """Each text, in any order, cut by the functions that cut those of the index. Raises ClickHouseError."""
    return door.query(CUT, {"texts": sorted(texts)}, into=Cut, name="search.cut", limits=LIMITS)


def plain_cut(text: str) -> Cut:
    """What the store makes of ASCII letters, digits, spaces, the signs of handles, and common unspaced scripts."""
    folded = text.lower()
    parts = list(dict.fromkeys(_WORD_OR_RUN.findall(folded)))
    runs = [part for part in parts if not part.isascii()]
    return Cut(
        text,
        folded,
        words=[part for part in parts if part.isascii()],
        runs=runs,
        pairs=list(dict.fromkeys(run[at : at + 2] for run in runs for at in range(len(run) - 1))),
        units=f" {' '.join(_UNIT.findall(folded))} ",
        tag=re.sub(" +", " ", folded).strip(" "),
    )
