"""The kinds of feeds. To add a kind, write its module and add it to the list below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from atsite.core.atproto.syntax import is_did, is_rkey
from feeds.kinds import hot, label, search, static, top
from feeds.ranking.feed import InvalidDefinition
from feeds.ranking.parameters import LabelName, read

if TYPE_CHECKING:
    from feeds.kinds.kind import Kind
    from feeds.ranking.feed import Definition, Feed, Parameters
    from feeds.ranking.page_data import FeedData

#: Every kind by name, sorted.
KINDS: Final[dict[str, Kind[Any]]] = {
    kind.name: kind
    for kind in (
        hot.KIND,
        label.KIND,
        search.KIND,
        static.KIND,
        top.KIND,
    )
}


def make_feed(definition: Definition, data: FeedData) -> Feed:
    """The feed of a definition. Raises InvalidDefinition."""
    if problem := problem_of(definition):
        raise InvalidDefinition(problem)
    kind = KINDS[definition.kind]
    return kind.make(definition, read(kind.parameters, definition.parameters), data)


def labels_of(kind: str, parameters: Parameters) -> list[str]:
    """The labels that the parameters name; none for an unknown kind."""
    declared = KINDS[kind].declared if kind in KINDS else ()
    named = [parameters.get(each.name) for each in declared if isinstance(each.check, LabelName)]
    return [label for label in named if isinstance(label, str) and label]


def problem_of(definition: Definition) -> str:
    """Why a definition cannot be served; "" if it can. Does not check the parameters: the kind does."""
    if not is_did(definition.publisher):
        return f"the publisher {definition.publisher!r} is not a did"
    if not is_rkey(definition.rkey):
        return "the name is not a valid record key (https://atproto.com/specs/record-key)"
    if definition.kind not in KINDS:
        return f"unknown kind {definition.kind!r}: expected one of {', '.join(KINDS)}"
    if definition.private and not (KINDS[definition.kind].may_be_private and definition.label):
        return "a private feed needs a label, and only feeds of the kind label have one"
    return ""
