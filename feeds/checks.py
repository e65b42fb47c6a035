"""Django system checks of the feeds, run before a service starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from atsite.core.atproto.syntax import is_did
from atsite.core.config import Config, config
from feeds import definitions
from feeds.ranking.page_data import FeedData
from feeds.serving.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.apps import AppConfig

    from feeds.ranking.feed import Definition


@register(Tags.compatibility)
def check_feeds(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The configuration and the definitions of the feed generator."""
    if config.service != "feedgen":
        return []
    try:
        defined = definitions.enabled(config)
    except DatabaseError:  # down, or not migrated: the service reports that itself
        defined = []
    return [*configuration_problems(config), *definition_problems(defined)]


def configuration_problems(site: Config) -> list[CheckMessage]:
    """Settings that the feed generator needs; other services do not need them."""
    if site.service != "feedgen":
        return []
    problems: list[CheckMessage] = []
    if not site.feed_actor_did:  # what is wrong with one that is set, atsite.checks says
        problems.append(
            Error(
                "FEED_ACTOR_DID is missing: the feeds have no publisher.",
                hint="Set it to the did of the account that publishes the feeds (did:plc:…).",
                id="feeds.E001",
            )
        )
    if not site.service_endpoint or not is_did(site.service_did):
        problems.append(
            Error(
                "SERVICE_ENDPOINT is missing: the network cannot find this feed generator.",
                hint="Set it to the public address, https://HOST without a path.",
                id="feeds.E002",
            )
        )
    return problems


def definition_problems(feeds: Iterable[Definition]) -> list[CheckMessage]:
    """Duplicate or invalid names, unknown kinds, wrong parameters: such a feed is not served, the others are."""
    return [
        Warning(str(problem), hint="Correct the definition of this feed in the admin.", id="feeds.W003")
        for problem in Registry.of(feeds, FeedData()).problems
    ]
