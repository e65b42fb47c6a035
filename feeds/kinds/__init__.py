"""The kinds of feeds: what makes a feed of a definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import is_did, is_rkey
from feeds.kinds import static
from feeds.kinds.hot import Hot, HotParameters
from feeds.kinds.label import Label, LabelParameters
from feeds.kinds.static import StaticParameters
from feeds.kinds.top import Top, TopParameters
from feeds.ranking.feed import InvalidDefinition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feeds.ranking.feed import Definition, Feed
    from feeds.ranking.page_data import FeedData

#: Name -> what makes a feed of a definition (raises InvalidDefinition). Sorted; a kind is one line here.
KINDS: Final[Mapping[str, Callable[[Definition, FeedData], Feed]]] = {
    "hot": Hot.of,
    "label": Label.of,
    "static": static.of,
    "top": Top.of,
}

#: Name -> what its definitions may say (feeds.ranking.parameters.declared).
PARAMETERS: Final[Mapping[str, type]] = {
    "hot": HotParameters,
    "label": LabelParameters,
    "static": StaticParameters,
    "top": TopParameters,
}
#: Name -> what it is, for whoever chooses one.
MEANINGS: Final[Mapping[str, str]] = {
    "hot": "Recent posts by likes; the score falls with age, so the list keeps moving.",
    "label": "What those who carry a label post, newest first; for everybody, or for them alone.",
    "static": "Posts chosen by hand, in your order; or the best ones of all time.",
    "top": "The most liked posts of the last hours.",
}


def made(definition: Definition, data: FeedData) -> Feed:
    """The feed of a definition. Raises InvalidDefinition."""
    if problem := problem_of(definition):
        raise InvalidDefinition(problem)
    return KINDS[definition.kind](definition, data)


def problem_of(definition: Definition) -> str:
    """Why a definition cannot be served, in words; empty where it can (its parameters are the kind's to judge)."""
    if not is_did(definition.publisher):
        return f"the publisher {definition.publisher!r} is no did"
    if not is_rkey(definition.rkey):
        return "the name is no record key (https://atproto.com/specs/record-key)"
    if definition.kind not in KINDS:
        return f"there is no kind {definition.kind!r}: expected one of {', '.join(KINDS)}"
    if definition.private and not definition.label:
        return "a private feed needs a label that opens it, and only a label feed has one"
    return ""
