from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from atsite.core.config import config
from atsite.core.errors import AtsiteError
from feeds.publishing.generator_record import publish
from feeds.publishing.network import publisher_session
from feeds.serving.registry import feed_named

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from feeds.ranking.feed import FeedDescription


class Command(BaseCommand):
    help = "Publish a feed: write its generator record to the publisher's repo. createdAt is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rkey", help="the feed's name, such as whats-hot")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            uri = asyncio.run(_publish(feed_named(options["rkey"]).describe()))
        except AtsiteError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"published {uri}, served by {config.service_did}")
        self.stdout.write(f"next: manage.py check_feed {options['rkey']}")


async def _publish(feed: FeedDescription) -> str:
    if not config.service_did:
        raise AtsiteError("set SERVICE_ENDPOINT to the public https:// address of the feed generator")
    async with publisher_session() as (pds, session):
        return await publish(pds, session, feed, service_did=config.service_did, now=datetime.now(UTC))
