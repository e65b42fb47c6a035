from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from atsite.core.command import SiteCommand
from atsite.core.config import config
from feeds.publishing.actions import publish_feed
from feeds.serving.registry import feed_named

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(SiteCommand):
    help = "Publish a feed: write its generator record to the publisher's repo. createdAt is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rkey", help="the feed's name, such as whats-hot")

    def handle(self, *args: Any, **options: Any) -> None:
        feed = feed_named(options["rkey"]).describe()
        if not config.service_did:
            raise CommandError("set SERVICE_ENDPOINT to the public https:// address of the feed generator")
        uri = asyncio.run(publish_feed(feed))
        self.stdout.write(f"published {uri}, served by {config.service_did}")
        self.stdout.write(f"next: manage.py check_feed {options['rkey']}")
