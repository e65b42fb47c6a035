"""The table from which forms and pages explain the query language: it shows all of it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.index.query.examples import EXAMPLES
from indexer.index.query.parse import parse
from indexer.index.query.tree import And, Filter, Key, Not, Or, Phrase, Word, leaves
from indexer.index.query.values import HAS, IS
from indexer.index.query.write import write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.index.query.tree import Node

QUERIES = [query for example in EXAMPLES for query in example.queries]


def shapes(node: Node) -> Iterator[type]:
    yield type(node)
    match node:
        case Not(part):
            yield from shapes(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from shapes(part)


def test_each_example_is_a_query_that_means_what_it_says() -> None:
    for query in QUERIES:
        assert parse(write(parse(query))) == parse(query)
    named = [query for query in QUERIES if ":" in query]
    assert [query for query in named if not isinstance(parse(query), Filter)] == []


def test_every_filter_and_each_of_its_words_is_shown() -> None:
    shown = {(leaf.key, leaf.value) for q in QUERIES for leaf in leaves(parse(q)) if isinstance(leaf, Filter)}
    assert {key for key, _ in shown} == set(Key)
    assert {value for key, value in shown if key == Key.HAS} == set(HAS)
    assert {value for key, value in shown if key == Key.IS} == set(IS)


def test_every_form_of_a_query_is_shown() -> None:
    assert {shape for q in QUERIES for shape in shapes(parse(q))} == {And, Or, Not, Word, Phrase, Filter}
