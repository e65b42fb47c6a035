from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import CommandError

from atsite.core.command import SiteCommand
from indexer.index import rereading
from indexer.index.differences import KEYS, Difference, differences
from indexer.index.missing_retractions import COUNTED, overwritten, retract

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable

#: Keys shown for each difference.
EXAMPLES: Final = 5
#: Keys repaired at once.
BATCH: Final = 1_000
EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Command(SiteCommand):
    help = (
        "Compare the derived tables with the raw events. Lists missing, outdated and extra rows, and records that a"
        " create replaced but that still count for their old subject. Reads whole tables. It may run while the indexer"
        " runs, but then may list rows as missing that arrive meanwhile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--repair", action="store_true", help="write missing retractions, and missing rows from the raw events"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        repair = options["repair"]
        number = sum(self._overwritten(repair=repair)) + sum(self._differences(repair=repair))
        if not number:
            self.stdout.write("no differences")
        elif not repair:
            raise CommandError(f"{number} differences; --repair writes the missing rows")

    def _overwritten(self, *, repair: bool) -> Iterable[int]:
        for counted in COUNTED:
            rows = list(overwritten(counted, since=EVER))
            if rows:
                self._show(
                    f"{counted.kind}: replaced by a create, and still counted for the old subject", len(rows), rows
                )
                if repair:
                    retract([(counted.kind, row.did, row.rkey, row.version) for row in rows])
            yield len(rows)

    def _differences(self, *, repair: bool) -> Iterable[int]:
        for found in differences():
            self._show(found.name, found.number, found.keys)
            if repair:
                _repair(found)
                if found.number > KEYS:
                    self.stdout.write(f"  repaired {KEYS} of them: run the command again")
            yield found.number

    def _show(self, name: str, number: int, keys: list[Any]) -> None:
        self.stdout.write(f"{name}: {number}")
        for key in keys[:EXAMPLES]:
            self.stdout.write(f"  {key.did} {key.rkey}")


def _repair(found: Difference) -> None:
    for start in range(0, len(found.keys), BATCH):
        keys = found.keys[start : start + BATCH]
        if found.collection:
            rereading.reread(found.collection, [(key.did, key.rkey) for key in keys])
        else:
            retract([(found.kind, key.did, key.rkey, key.version) for key in keys])
