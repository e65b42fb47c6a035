"""`manage.py publish`: bring the copies in ClickHouse up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from atsite.core.published import clickhouse_copies, compare_copies

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Publish what people decided to ClickHouse; with --check, compare every row of both sides and mend the copy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare all rows, mend, and say what was mended")

    def handle(self, *args: Any, **options: Any) -> None:
        for model in clickhouse_copies.published_models():
            if not options["check"]:
                self.stdout.write(f"{model._meta.label}: {clickhouse_copies.publish_due(model)} published")
                continue
            sentences = compare_copies.mend(model)
            for sentence in sentences or [f"{model._meta.label}: both sides agree"]:
                self.stdout.write(sentence)
