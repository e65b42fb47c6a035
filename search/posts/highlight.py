"""Where a text has the words that were searched for. PURE.

The store decides what matches (indexer/sql/changes/search_tokens.sql); this only shows it, so the rare word that folds
otherwise here is found all the same, and not marked.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection


class Range(NamedTuple):
    """A part of a text, in bytes of UTF-8 as the facets of a post count them; the end is not included."""

    byte_start: int
    byte_end: int


def ranges(text: str, words: Collection[str], runs: Collection[str]) -> list[Range]:
    """The parts of `text` that are one of `words` as a whole, or one of `runs` anywhere; overlapping ones as one.

    Words and runs are folded, as the store folds those of a query.
    """
    folded, origins = _folded(text)
    needles = [rf"(?<!\w){re.escape(word)}(?!\w)" for word in words] + [re.escape(run) for run in runs]
    found = sorted(match.span() for needle in needles for match in re.finditer(needle, folded))
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [Range(_bytes(text[: origins[start]]), _bytes(text[: origins[end]])) for start, end in joined]


def _folded(text: str) -> tuple[str, list[int]]:
    """The text folded character by character, and for each character of it, and its end, where it comes from."""
    letters: list[str] = []
    origins: list[int] = []
    for at, character in enumerate(text):
        for letter in unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character).casefold()):
            if unicodedata.category(letter) not in ("Mn", "Cf"):
                letters.append(letter)
                origins.append(at)
    return "".join(letters), [*origins, len(text)]


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
