"""The feeds of the site, read from `default`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feeds.definition_from_row import definition_of
from feeds.kinds import KINDS
from feeds.models import FeedDefinition

if TYPE_CHECKING:
    from atsite.core.config import Config
    from feeds.ranking.feed import Definition


def enabled(site: Config) -> list[Definition]:
    """The enabled feeds, by name; those without a publisher only if FEED_ACTOR_DID is set.

    Raises DatabaseError.
    """
    rows = FeedDefinition.objects.filter(enabled=True).prefetch_related("posts")
    owned = [row for row in rows if row.publisher or site.feed_actor_did]
    return [definition_of(row, site, [post.uri for post in row.posts.all()]) for row in owned]


def waiting(site: Config) -> list[Definition]:
    """The feeds that are off until their label has a member, by name. Raises DatabaseError."""
    rows = FeedDefinition.objects.filter(enabled=False, waits_for_members=True)
    return [definition_of(row, site) for row in rows if row.publisher or site.feed_actor_did]


def names() -> list[tuple[str, str]]:
    """Name and display name of each feed, enabled or not. Raises DatabaseError."""
    return list(FeedDefinition.objects.order_by("rkey").values_list("rkey", "display_name"))


def with_members() -> list[tuple[str, str]]:
    """Name and display name of each feed that uses a label, enabled or not. Raises DatabaseError."""
    kinds = [kind.name for kind in KINDS.values() if kind.may_be_private]
    return list(FeedDefinition.objects.filter(kind__in=kinds).order_by("rkey").values_list("rkey", "display_name"))
