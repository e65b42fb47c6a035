"""`manage.py reset`: deletes all data, as in a fresh clone."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from django.core.management.base import BaseCommand, CommandError

from atsite import data_folder
from atsite.core.config import BASE_DIR, config, usual_data_dir
from atsite.core.embedded import DataDirectoryInUse, files

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from pathlib import Path


class Command(BaseCommand):
    help = (
        "Delete all data of `up`, `demo` and the tests in .data: both stores, users, logs and screenshots. "
        "With DATA_DIR, delete only that folder."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def handle(self, *args: object, yes: bool, **options: object) -> None:
        root = data_of(config.data_dir)
        if not yes and input(f"Delete everything in {root}? [y/N] ").strip().lower() not in ("y", "yes"):
            self.stdout.write("Nothing was deleted.")
            return
        clear(root)
        self.stdout.write(f"Deleted {root}.")


def data_of(data_dir: Path) -> Path:
    """What to delete: all data of this clone, or the folder that DATA_DIR names.

    Raises CommandError for a folder with other files and no data of this project.
    """
    everything = BASE_DIR / ".data"
    if data_dir in (usual_data_dir("demo"), usual_data_dir("development")):
        return everything
    if data_dir.exists() and not data_folder.is_own(data_dir):
        raise CommandError(f"{data_dir} has other files and no data of this project: nothing was deleted")
    return data_dir


def clear(root: Path) -> None:
    """Delete `root`. Raises CommandError, and deletes nothing, while a store runs on data below it."""
    held: list[int] = []
    try:
        for lock in sorted([*root.glob("*/lock"), *root.glob("*/*/lock")]):  # STORE/lock, SITE/STORE/lock
            held.append(files.take_lock(lock, name="a store", directory=lock.parent))
        if root.exists():
            shutil.rmtree(root)
    except DataDirectoryInUse as error:
        raise CommandError(str(error)) from error
    finally:
        for descriptor in held:
            os.close(descriptor)
