from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from atsite.core.config import config
from atsite.core.errors import AtsiteError
from feeds.publishing.network import client_and_resolver
from feeds.publishing.self_check import FeedCheck, summary
from feeds.serving.registry import feed_named

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from atsite.core.atproto.aturi import AtUri
    from feeds.publishing.self_check import Finding


class Command(BaseCommand):
    help = "Check a feed step by step as the AppView reads it, and print what is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rkey", help="the feed's name, such as whats-hot")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            findings = asyncio.run(_check(feed_named(options["rkey"]).describe().uri))
        except AtsiteError as error:
            raise CommandError(str(error)) from error
        for finding in findings:
            mark = self.style.ERROR("wrong") if finding.problem else self.style.SUCCESS("good ")
            self.stdout.write(f"{mark}  {finding.step}")
            if finding.problem:
                self.stdout.write(f"       {finding.problem}")
        if wrong := summary(findings):
            raise CommandError(wrong)


async def _check(uri: AtUri) -> list[Finding]:
    async with client_and_resolver() as (client, resolver):
        check = FeedCheck(client, resolver, uri, config.service_did, config.service_endpoint)
        return await check.findings()
