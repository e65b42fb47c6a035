from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from atsite.core.command import SiteCommand
from feeds.publishing.actions import check_feed
from feeds.publishing.self_check import summary
from feeds.serving.registry import feed_named

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(SiteCommand):
    help = "Check a feed step by step as the AppView reads it, and print what is wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rkey", help="the feed's name, such as whats-hot")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = asyncio.run(check_feed(feed_named(options["rkey"]).describe().uri))
        for finding in findings:
            mark = self.style.ERROR("wrong") if finding.problem else self.style.SUCCESS("good ")
            self.stdout.write(f"{mark}  {finding.step}")
            if finding.problem:
                self.stdout.write(f"       {finding.problem}")
        if wrong := summary(findings):
            raise CommandError(wrong)
