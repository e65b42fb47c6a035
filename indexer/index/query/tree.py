"""The tree of a query. PURE.

A tree from `parse` is in one form: And and Or have at least two parts, and no part of an And is an And, nor of an Or an
Or. So writing a tree and parsing the text gives the same tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator


class Key(StrEnum):
    """What stands before the colon of a filter."""

    FROM = "from"
    TO = "to"
    MENTIONS = "mentions"
    LANG = "lang"
    DOMAIN = "domain"
    URL = "url"
    TAG = "tag"
    SINCE = "since"
    UNTIL = "until"
    HAS = "has"
    IS = "is"


#: The filters whose value is an account.
ACCOUNTS = frozenset({Key.FROM, Key.TO, Key.MENTIONS})
#: The account of the reader, as a value of these filters.
ME = "me"


@dataclass(frozen=True, slots=True)
class Word:
    """A word, as it was typed: the index may cut it into several. `at`: its position in the text, -1 for none."""

    text: str
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow each other."""

    text: str
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """A property of a post. `value` is checked and in one spelling (indexer.index.query.values)."""

    key: Key
    value: str
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Posts that `part` does not match."""

    part: Node


@dataclass(frozen=True, slots=True)
class And:
    """Posts that every part matches."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Posts that at least one part matches."""

    parts: tuple[Node, ...]


Leaf: TypeAlias = "Word | Phrase | Filter"
Node: TypeAlias = "Leaf | Not | And | Or"


def both(*nodes: Node) -> Node:
    """A tree that asks for all of these (at least one), in one form."""
    parts = [part for node in nodes for part in (node.parts if isinstance(node, And) else (node,))]
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def either(*nodes: Node) -> Node:
    """A tree that asks for any of these (at least one), in one form."""
    parts = [part for node in nodes for part in (node.parts if isinstance(node, Or) else (node,))]
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def leaves(node: Node) -> Iterator[Leaf]:
    """The leaves, from left to right."""
    match node:
        case Not(part):
            yield from leaves(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part)
        case _:
            yield node


def excludes_only(node: Node) -> bool:
    """Whether the query says only what a post must not be."""
    match node:
        case Not(part):
            return not excludes_only(part)
        case And(parts):
            return all(map(excludes_only, parts))
        case Or(parts):
            return all(map(excludes_only, parts))
        case _:
            return False
