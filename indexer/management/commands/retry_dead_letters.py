from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atsite.core.command import SiteCommand
from indexer.index.events import DeadReason
from indexer.stream import dead_letter_retry

if TYPE_CHECKING:
    from argparse import ArgumentParser

#: Seconds to wait for a ClickHouse that does not accept rows.
CLICKHOUSE_WAIT_SECONDS = 60.0


class Command(SiteCommand):
    help = "Decode dead letters again; index those that can be decoded now, and remove their letters."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="*", metavar="ID", help="retry only these")
        parser.add_argument(
            "--reason",
            choices=[str(reason) for reason in DeadReason],
            default="",
            help="retry only letters with this reason",
        )
        parser.add_argument("--dry-run", action="store_true", help="print what would happen; write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = dead_letter_retry.retry(
            ids=options["ids"],
            reason=options["reason"],
            dry_run=options["dry_run"],
            wait_seconds=CLICKHOUSE_WAIT_SECONDS,
        )
        done = "would be indexed" if options["dry_run"] else "indexed"
        self.stdout.write(f"{outcome.indexed} {done}, {outcome.left_out} left out")
        for reason, number in sorted(outcome.still_dead.items()):
            self.stdout.write(f"{number} still dead: {reason}")
