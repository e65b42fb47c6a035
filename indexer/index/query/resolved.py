"""A query whose accounts and words were looked up. PURE."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.index.query.tree import Node


@dataclass(frozen=True, slots=True)
class Cut:
    """A text as the index cuts it (indexer/sql/functions/words_in_order.sql and word_tokens.sql)."""

    text: str
    #: As words are compared (indexer/sql/functions/search_text.sql).
    folded: str
    words: list[str]
    #: Runs of unspaced scripts, and the pairs of neighbours in them.
    runs: list[str]
    pairs: list[str]
    #: Words, and single characters of unspaced scripts, in order, each between spaces.
    units: str
    #: The text as a tag.
    tag: str

    @property
    def neighbours(self) -> list[str]:
        """The tokens of words that follow each other (indexer/sql/functions/neighbours.sql); none beside a run."""
        words = [] if self.runs else self.units.split()
        return [_token(f"{word} {following}") for word, following in pairwise(words)]

    @property
    def is_empty(self) -> bool:
        return not (self.words or self.runs)


def _token(neighbours: str) -> str:
    """As ClickHouse's hex() writes a UInt16: without a first byte that is zero."""
    number = zlib.crc32(neighbours.encode()) & 0xFFFF
    return f"~{number:04X}" if number > 0xFF else f"~{number:02X}"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A query whose accounts are dids and whose texts are cut. Words that are nothing to the index are left out."""

    node: Node
    cuts: Mapping[str, Cut]
