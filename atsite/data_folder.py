"""Keeps the data folder private to its user: it holds sessions, password hashes, keys and usage data.

`up` and `demo` do this before they start anything (atsite.management.up_command), each store for its own folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.db.backends.signals import connection_created

from atsite.core.config import config
from atsite.core.embedded import files

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

#: The files that SQLite keeps beside its database.
SQLITE_SUFFIXES: Final = ("", "-wal", "-shm", "-journal")
#: Folders of embedded stores. They are large; the stores set the modes themselves when they start.
STORES: Final = frozenset({"clickhouse", "valkey"})
#: What a data folder of this project has, each written at the first start of something.
OWN: Final = frozenset({"purpose", "atsite.sqlite3", "log", "secret_key", *STORES})
#: What may be in a folder that is new.
NEW: Final = frozenset({"lost+found"})


def is_own(folder: Path) -> bool:
    """Whether `folder` is this project's, or new: missing, or without files of others."""
    try:
        names = {path.name for path in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return True
    return bool(names & OWN) or names <= NEW


def keep_private() -> None:
    """Called once when Django starts. In a service: set the umask, and correct the modes of existing files.

    One-off commands keep their umask, because some of them write into the repository.
    """
    connection_created.connect(make_sqlite_private, dispatch_uid="atsite.data_folder")
    if config.service != "manage":
        os.umask(files.UMASK)
        if is_own(config.data_dir):
            files.make_private(config.data_dir, leave_out=STORES)


def make_sqlite_private(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receiver of `connection_created`: corrects the modes of the database, whichever process created it."""
    if connection.vendor == "sqlite":
        for suffix in SQLITE_SUFFIXES:
            files.make_one_private(Path(f"{connection.settings_dict['NAME']}{suffix}"))
