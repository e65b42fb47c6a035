from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from atsite.core.atproto.syntax import parse_rkey
from atsite.core.command import SiteCommand
from feeds.publishing.actions import unpublish_feed

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(SiteCommand):
    help = "Delete a feed's generator record from the publisher's repo, also if the feed is no longer defined here."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rkey", help="the feed's name, such as whats-hot")

    def handle(self, *args: Any, **options: Any) -> None:
        existed = asyncio.run(unpublish_feed(parse_rkey(options["rkey"])))
        self.stdout.write("unpublished" if existed else "there was no such record; nothing to do")
