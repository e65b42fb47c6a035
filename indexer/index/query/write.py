"""Writes a tree as a query. PURE."""

from __future__ import annotations

import re
from typing import Final

from indexer.index.query.tree import And, Filter, Key, Node, Not, Or, Phrase, Word

_NEEDS_QUOTES: Final = re.compile(r"[\s()]")


def write(node: Node) -> str:
    """The text whose tree this is: `parse(write(node)) == node` for every tree from `parse`."""
    match node:
        case Word(text):
            return text
        case Phrase(text):
            return f'"{text}"'
        case Filter(key, value):
            return _filter(key, value)
        case Not(part):
            return f"-{_as_part(part)}"
        case And(parts):
            return " ".join(f"({write(part)})" if isinstance(part, Or) else write(part) for part in parts)
        case Or(parts):
            return " OR ".join(map(write, parts))


def _as_part(node: Node) -> str:
    return f"({write(node)})" if isinstance(node, And | Or) else write(node)


def _filter(key: Key, value: str) -> str:
    if _NEEDS_QUOTES.search(value):
        return f'{key}:"{value}"'
    return f"#{value}" if key is Key.TAG else f"{key}:{value}"
