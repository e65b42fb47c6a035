from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from atsite.core import telemetry
from atsite.core.config import config
from atsite.core.errors import AtsiteError
from indexer.stream import service

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Index the network: Jetstream -> ClickHouse. SIGTERM writes what is there and ends."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        begin = parser.add_mutually_exclusive_group()
        begin.add_argument("--from", type=int, metavar="CURSOR", dest="from_cursor", help="unix microseconds")
        begin.add_argument("--from-live", action="store_true", help="leave out what happened since the last run")
        parser.add_argument("--max-events", type=int, help="end after this many events")
        parser.add_argument("--run-for", type=float, metavar="SECONDS", help="end after this long")
        parser.add_argument("--dry-run", action="store_true", help="read and decode, write nothing")

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
        before = {number: signal.signal(number, lambda *_: stop.ask()) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            report = service.run(config, asked, stop)
        except AtsiteError as error:
            raise CommandError(str(error)) from error
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        cpu = f"{report.cpu_seconds:.2f} s of CPU"
        self.stdout.write(f"indexed {report.events} events in {report.seconds:.2f} s ({cpu})")
