"""The data folder is its user's alone: it holds sessions, password hashes, keys and what readers do.

`up` and `demo` do the same before they start anything (atsite.management.up_command), each store for its own folder.
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

#: What SQLite makes beside its file.
SQLITE_SUFFIXES: Final = ("", "-wal", "-shm", "-journal")
#: Folders of embedded stores: large, and mended by the stores when they start.
STORES: Final = frozenset({"clickhouse", "valkey"})


def keep_private() -> None:
    """Once, when Django starts: mend what a service finds, and let what this process makes be private.

    Not the umask of a one-off command: some write into the repository.
    """
    connection_created.connect(make_sqlite_private, dispatch_uid="atsite.data_folder")
    if config.service != "manage":
        os.umask(files.UMASK)
        files.make_private(config.data_dir, leave_out=STORES)


def make_sqlite_private(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receiver of `connection_created`: whichever process made the file, its rights are mended at the next look."""
    if connection.vendor == "sqlite":
        for suffix in SQLITE_SUFFIXES:
            files.make_one_private(Path(f"{connection.settings_dict['NAME']}{suffix}"))
