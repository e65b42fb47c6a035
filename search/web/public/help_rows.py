"""The query language as rows of the page of help, with searches to try."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from indexer.index.query.examples import EXAMPLES
from indexer.index.query.parse import parse
from indexer.index.query.tree import ACCOUNTS, Filter, leaves

if TYPE_CHECKING:
    from collections.abc import Callable

#: What the first page offers to try.
FIRST_TRIES: Final = ("coffee", "has:images has:alt", "music -techno lang:en", "is:root has:link")


class HelpRow(NamedTuple):
    """Queries, each with the address of its search (empty if it names an account), and what they find."""

    queries: list[tuple[str, str]]
    meaning: str


def help_rows(address: Callable[[str], str]) -> list[HelpRow]:
    """All examples of the language. `address`: that of a search."""
    return [
        HelpRow([(query, "" if _names_an_account(query) else address(query)) for query in queries], meaning)
        for queries, meaning in EXAMPLES
    ]


def _names_an_account(query: str) -> bool:
    return any(isinstance(leaf, Filter) and leaf.key in ACCOUNTS for leaf in leaves(parse(query)))
