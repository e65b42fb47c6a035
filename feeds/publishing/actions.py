"""Publish, unpublish and check a feed from the admin. The credentials come from the environment."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from atsite.core.atproto.syntax import Rkey
from atsite.core.config import config
from atsite.core.errors import AtsiteError
from feeds.definition_from_row import definition_of
from feeds.publishing.generator_record import publish, unpublish
from feeds.publishing.network import client_and_resolver, publisher_session
from feeds.publishing.self_check import FeedCheck, summary
from feeds.ranking.feed import describe

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from atsite.core.atproto.aturi import AtUri
    from feeds.models import FeedDefinition
    from feeds.publishing.self_check import Finding
    from feeds.ranking.feed import FeedDescription


#: The message, also in the admin's log, after a feed was published.
PUBLISHED: Final = "Published: apps find it within a minute."


@dataclass(frozen=True, slots=True)
class Requirements:
    """What publishing needs; `missing` has a sentence for each missing setting."""

    address: str
    service_did: str
    endpoint: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of an action. `wrong`: `sentence` is an error. `findings`: the steps of a check."""

    sentence: str
    wrong: bool = False
    changed: bool = False
    findings: tuple[Finding, ...] = ()


def requirements(row: FeedDefinition) -> Requirements:
    """The settings that publishing needs, and which of them are missing."""
    missing = []
    owner = row.publisher or config.feed_actor_did
    if not owner:
        missing.append("FEED_ACTOR_DID: the did of the account that publishes the feeds.")
    if not config.service_endpoint:
        missing.append("SERVICE_ENDPOINT: the public https:// address of the feed generator.")
    if not config.publisher_app_password:
        missing.append(
            "PUBLISHER_APP_PASSWORD (or PUBLISHER_APP_PASSWORD_FILE): an app password of that account. It is read only"
            " from the environment, never from a form."
        )
    if row.publisher and row.publisher != config.feed_actor_did:
        missing.append(
            f"This feed is published by {row.publisher}, not by FEED_ACTOR_DID: publish it from that account."
        )
    address = str(definition_of(row, config).uri) if owner else ""
    return Requirements(address, config.service_did, config.service_endpoint, tuple(missing))


def act(row: FeedDefinition, action: str) -> Outcome:
    """Publish, unpublish or check the feed. Blocks on the network, so do not call it from a coroutine."""
    match action:
        case "publish" | "unpublish" if missing := requirements(row).missing:
            return Outcome(f"Not possible yet: {missing[0]}", wrong=True)
        case "publish":
            return _told(publish_feed(describe(definition_of(row, config))), PUBLISHED)
        case "unpublish":
            return _told(unpublish_feed(Rkey(row.rkey)), "Unpublished: apps stop finding the feed.")
        case "check":
            return _checked(row)
    return Outcome("Unknown action.", wrong=True)


def _told(work: Coroutine[Any, Any, object], success: str) -> Outcome:
    try:
        asyncio.run(work)
    except AtsiteError as error:
        return Outcome(str(error), wrong=True)
    return Outcome(success, changed=True)


def _checked(row: FeedDefinition) -> Outcome:
    if not (row.publisher or config.feed_actor_did):
        return Outcome("FEED_ACTOR_DID is not set, so the feed has no address to check.", wrong=True)
    try:
        findings = tuple(asyncio.run(check_feed(definition_of(row, config).uri)))
    except AtsiteError as error:
        return Outcome(str(error), wrong=True)
    wrong = summary(findings)
    sentence = f"{wrong}." if wrong else "Everything the AppView needs is there."
    return Outcome(sentence, wrong=bool(wrong), findings=findings)


async def publish_feed(feed: FeedDescription) -> str:
    """Write the record of the feed; returns its at-uri. Raises AtsiteError."""
    async with publisher_session() as (pds, session):
        return await publish(pds, session, feed, service_did=config.service_did, now=datetime.now(UTC))


async def unpublish_feed(rkey: Rkey) -> bool:
    """Delete the record of the feed; returns whether there was one. Raises AtsiteError."""
    async with publisher_session() as (pds, session):
        return await unpublish(pds, session, rkey)


async def check_feed(uri: AtUri) -> list[Finding]:
    """Check the feed step by step as the AppView reads it. Raises AtsiteError."""
    async with client_and_resolver() as (client, resolver):
        return await FeedCheck(client, resolver, uri, config.service_did, config.service_endpoint).findings()
