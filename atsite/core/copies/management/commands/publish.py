"""`manage.py publish`: writes the pending copies to ClickHouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from atsite.core.copies import clickhouse_copies, compare_copies

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Write pending copies of decisions to ClickHouse; with --check, compare and repair every copy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="compare all rows with their copies, repair the copies and list the repairs",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for model in clickhouse_copies.copied_models():
            if not options["check"]:
                self.stdout.write(f"{model._meta.label}: {clickhouse_copies.copy_due(model)} copied")
                continue
            sentences = compare_copies.repair(model)
            for sentence in sentences or [f"{model._meta.label}: rows and copies agree"]:
                self.stdout.write(sentence)
