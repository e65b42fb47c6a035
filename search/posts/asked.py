"""What a caller asks for: the text of a query and the other parameters of a search, as one condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.index.query.conditions import where
from indexer.index.query.parse import parse
from indexer.index.query.resolve import resolve
from indexer.index.query.tree import both
from search.posts import parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atsite.core.atproto.syntax import Did
    from indexer.index.query.conditions import Where
    from indexer.index.query.tree import Node


def tree_of(q: str, given: Mapping[str, str | list[str] | None]) -> Node:
    """The query of `q` and of the parameters in search.posts.parameters.FILTERS. Raises BadQuery, BadParameter."""
    return both(parse(q), *parameters.filters(given))


def where_of(node: Node, *, viewer: Did | None, now: int) -> Where:
    """The condition of a query at the moment `now` (unix microseconds). Raises BadQuery and what the door raises."""
    return where(resolve(node, viewer=viewer), now=now)
