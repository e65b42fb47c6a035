"""`manage.py reset`: deletes all data, as in a fresh clone."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from atsite.core.config import BASE_DIR
from atsite.core.embedded import DataDirectoryInUse, files

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path


class Command(BaseCommand):
    help = "Delete all data of `up`, `demo` and the tests in .data: both stores, users, logs and screenshots."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: object, yes: bool, **options: object) -> None:
        root = BASE_DIR / ".data"
        if not yes and input(f"Delete everything in {root}? [y/N] ").strip().lower() not in ("y", "yes"):
            self.stdout.write("Nothing was deleted.")
            return
        clear(root)
        self.stdout.write(f"Deleted {root}.")


def clear(root: Path) -> None:
    """Delete `root`. Raises CommandError, and deletes nothing, while a store runs on data below it."""
    held: list[int] = []
    try:
        for lock in sorted(root.glob("*/*/lock")):  # SITE/STORE/lock
            held.append(files.take_lock(lock, name="a store", directory=lock.parent))
        if root.exists():
            shutil.rmtree(root)
    except DataDirectoryInUse as error:
        raise CommandError(str(error)) from error
    finally:
        for descriptor in held:
            os.close(descriptor)
