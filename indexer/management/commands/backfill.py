from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from atsite.core.atproto.syntax import is_did, parse_account_did
from atsite.core.config import config
from atsite.core.errors import InvalidSyntax
from indexer.backfill import jobs
from indexer.backfill.run import DAYS
from indexer.index.models import Backfill

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Fetch an actor's records from its PDS. The worker, or --resume, continues an interrupted backfill."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--did", required=True)
        parser.add_argument(
            "--days", type=int, default=DAYS, help=f"how many days back, also for follows and blocks (default: {DAYS})"
        )
        parser.add_argument("--resume", action="store_true", help="continue the last backfill instead of starting over")

    def handle(self, *args: Any, **options: Any) -> None:
        did, days = options["did"], options["days"]
        if not is_did(did):
            raise CommandError(f"{did!r} is not a valid did")
        try:
            did = parse_account_did(did, loopback=config.allow_loopback)
        except InvalidSyntax as error:
            raise CommandError(f"--did: {error}") from error
        if not 1 <= days <= 36_500:
            raise CommandError("--days must be a number from 1 to 36500")
        if not (options["resume"] and Backfill.objects.filter(did=did).exists()):
            jobs.ask(did, days=days)
        row = jobs.run_one(did)
        counts = {"listed": 0, "written": 0, "removed": 0, "unreadable": 0} | row.progress
        self.stdout.write("{listed} records listed, {written} written, {removed} removed".format_map(counts))
        if counts["unreadable"]:
            self.stdout.write(f"{counts['unreadable']} could not be read")
        if row.state != Backfill.State.COMPLETED:
            raise CommandError(f"{row.get_state_display()}: {row.reason}" if row.reason else row.get_state_display())
