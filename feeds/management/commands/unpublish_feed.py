from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from atsite.core.atproto.syntax import Rkey, parse_rkey
from atsite.core.errors import AtsiteError
from feeds.publishing.generator_record import unpublish
from feeds.publishing.network import publisher_session

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    help = "Delete a feed's generator record from the publisher's repo, also if the feed is no longer defined here."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rkey", help="the feed's name, such as whats-hot")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            existed = asyncio.run(_unpublish(parse_rkey(options["rkey"])))
        except AtsiteError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("unpublished" if existed else "there was no such record; nothing to do")


async def _unpublish(rkey: Rkey) -> bool:
    async with publisher_session() as (pds, session):
        return await unpublish(pds, session, rkey)
