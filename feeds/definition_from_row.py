"""Converts a row of feeds.models.FeedDefinition into the Definition that kinds work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import Did, Rkey
from atsite.core.errors import InvalidSyntax
from feeds.kinds import KINDS
from feeds.ranking.feed import Definition, PostKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from atsite.core.config import Config

#: The visibility of a feed that only its members can read.
PRIVATE: Final = "private"


class FeedRow(Protocol):
    """The attributes of a row that are read (feeds.models.FeedDefinition)."""

    publisher: str
    rkey: str
    kind: str
    parameters: Any
    display_name: str
    description: str
    visibility: str
    pinned_post: str
    instructions_post: str


def definition_of(row: FeedRow, site: Config, posts: Iterable[str] = ()) -> Definition:
    """The definition for a row. `posts`: the at-uris of its list; invalid at-uris are left out."""
    return Definition(
        publisher=Did(row.publisher or site.feed_actor_did),
        rkey=Rkey(row.rkey),
        kind=row.kind,
        display_name=row.display_name,
        description=row.description,
        parameters=_parameters(row, site),
        private=row.visibility == PRIVATE,
        instructions=_post(row.instructions_post),
        pinned=_post(row.pinned_post),
        posts=tuple(key for uri in posts if (key := _post(uri)) is not None),
    )


def _parameters(row: FeedRow, site: Config) -> Mapping[str, Any]:
    parameters: dict[str, Any] = dict(row.parameters) if isinstance(row.parameters, dict) else {"parameters": 0}
    defaults = KINDS[row.kind].site_defaults(site) if row.kind in KINDS else {}
    return {**defaults, **parameters}


def _post(uri: str) -> PostKey | None:
    try:
        return PostKey.of(AtUri.parse(uri)) if uri else None
    except InvalidSyntax:
        return None
