from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.checks import Tags
from django.core.management.base import CommandError

from atsite.core import telemetry
from atsite.core.command import SiteCommand
from atsite.core.config import config
from atsite.core.errors import EXIT_NEEDS_YOU
from indexer.stream import service
from indexer.stream.jetstream import NoStream
from indexer.stream.start_options import add_start_options
from indexer.stream.stopping import signals_ask
from indexer.stream.unreadable_stream import StreamUnreadable

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(SiteCommand):
    help = "Index the network: Jetstream -> ClickHouse. On SIGTERM it writes what it has read and stops."
    requires_system_checks = [Tags.security]  # those of the configuration

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_start_options(parser)
        parser.add_argument("--max-events", type=int, help="stop after this many events")
        parser.add_argument("--run-for", type=float, metavar="SECONDS", help="stop after this many seconds")
        parser.add_argument("--dry-run", action="store_true", help="read and decode, but write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        telemetry.configure("indexer")
        stop = service.Stop()
        asked = service.Options(
            from_cursor=options["from_cursor"],
            from_live=options["from_live"],
            max_events=options["max_events"],
            run_for=options["run_for"],
            dry_run=options["dry_run"],
        )
        with signals_ask(stop):
            try:
                report = service.run(config, asked, stop)
            except (NoStream, StreamUnreadable) as error:
                raise CommandError(str(error), returncode=EXIT_NEEDS_YOU) from error
        cpu = f"{report.cpu_seconds:.2f} s of CPU"
        self.stdout.write(f"indexed {report.events} events in {report.seconds:.2f} s ({cpu})")
