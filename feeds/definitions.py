"""From the rows that people edit to the definitions that kinds see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import Did, Rkey
from atsite.core.errors import InvalidSyntax
from feeds.models import FeedDefinition
from feeds.ranking.feed import Definition, PostKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from atsite.core.config import Config


def enabled(site: Config) -> list[Definition]:
    """The feeds of a site that are switched on, by name; those of FEED_ACTOR_DID only once that is set.

    Raises DatabaseError.
    """
    rows = FeedDefinition.objects.filter(enabled=True).prefetch_related("posts")
    owned = [row for row in rows if row.publisher or site.feed_actor_did]
    return [definition_of(row, site, [post.uri for post in row.posts.all()]) for row in owned]


def names() -> list[tuple[str, str]]:
    """Name and display name of each feed, switched on or not. Raises DatabaseError."""
    return list(FeedDefinition.objects.order_by("rkey").values_list("rkey", "display_name"))


def with_members() -> list[tuple[str, str]]:
    """Name and display name of each feed that names a label, switched on or not. Raises DatabaseError."""
    rows = FeedDefinition.objects.filter(kind="label").order_by("rkey")
    return [(row.rkey, row.display_name) for row in rows]


def definition_of(row: FeedDefinition, site: Config, posts: Iterable[str] = ()) -> Definition:
    """The definition that a row means; `posts` are the at-uris of its list. A broken address of a post is left out."""
    return Definition(
        publisher=Did(row.publisher or site.feed_actor_did),
        rkey=Rkey(row.rkey),
        kind=row.kind,
        display_name=row.display_name,
        description=row.description,
        parameters=_parameters(row, site),
        private=row.visibility == FeedDefinition.Visibility.PRIVATE,
        instructions=_post(row.instructions_post),
        pinned=_post(row.pinned_post),
        posts=tuple(key for uri in posts if (key := _post(uri)) is not None),
    )


def site_defaults(kind: str, site: Config) -> dict[str, Any]:
    """What the site says where a definition of this kind says nothing; the kind's own defaults come after it."""
    return {"min_likes": site.feed_min_likes} if kind == "hot" else {}


def _parameters(row: FeedDefinition, site: Config) -> Mapping[str, Any]:
    parameters: dict[str, Any] = dict(row.parameters) if isinstance(row.parameters, dict) else {"parameters": 0}
    return {**site_defaults(row.kind, site), **parameters}


def _post(uri: str) -> PostKey | None:
    try:
        return PostKey.of(AtUri.parse(uri)) if uri else None
    except InvalidSyntax:
        return None
