"""What a caller asks for: the text of a query and the other parameters of a search, as one condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.index.query.conditions import where
from indexer.index.query.parse import parse
from indexer.index.query.resolve import resolve
from indexer.index.query.tree import And, Or, Phrase, Word, both
from search.posts import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from atsite.core.atproto.syntax import Did
    from indexer.index.query.conditions import Where
    from indexer.index.query.tree import Node


@dataclass(frozen=True, slots=True)
class Asked:
    """The condition, and what a text that matches is marked with: folded words, and runs of unspaced scripts."""

    where: Where
    words: frozenset[str]
    runs: frozenset[str]


def tree_of(q: str, given: Mapping[str, str | list[str] | None]) -> Node:
    """The query of `q` and of the parameters in search.posts.parameters.FILTERS. Raises BadQuery, BadParameter."""
    return both(parse(q), *parameters.filters(given))


def asked(node: Node, *, viewer: Did | None, now: int) -> Asked:
    """The query at the moment `now` (unix microseconds). Raises BadQuery and what the door raises."""
    resolved = resolve(node, viewer=viewer)
    cuts = [resolved.cuts[leaf.text] for leaf in _wanted(resolved.node)]
    return Asked(
        where(resolved, now=now),
        frozenset(word for cut in cuts for word in cut.words),
        frozenset(run for cut in cuts for run in cut.runs),
    )


def _wanted(node: Node) -> Iterator[Word | Phrase]:
    """The texts that a match may have; not those that are excluded."""
    match node:
        case Word() | Phrase():
            yield node
        case And(parts) | Or(parts):
            for part in parts:
                yield from _wanted(part)
