"""A query whose accounts and words were looked up. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.index.query.tree import Node


@dataclass(frozen=True, slots=True)
class Cut:
    """A text as the index cuts it (indexer/sql/functions/search_tokens.sql and text_units.sql)."""

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
    def is_empty(self) -> bool:
        return not (self.words or self.runs)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A query whose accounts are dids and whose texts are cut. Words that are nothing to the index are left out."""

    node: Node
    cuts: Mapping[str, Cut]
