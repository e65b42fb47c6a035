"""A temporary ClickHouse for one command, and `manage.py` run against it in a separate process.

A separate process, because Django reads its settings, and with them the addresses, once at its start.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from atsite.core.config import BASE_DIR
from atsite.core.embedded import EmbeddedClickHouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: The variables, each also with _FILE, that name the site's stores.
STORE_VARIABLES = {
    "CLICKHOUSE_ADDRESS", "CLICKHOUSE_USERNAME", "CLICKHOUSE_PASSWORD", "CLICKHOUSE_DATABASE", "REDIS_ADDRESS",
    "DATABASE_URL",
}  # fmt: skip


def environment_without_stores() -> dict[str, str]:
    """This process's environment, without the variables that name stores."""
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in STORE_VARIABLES}


@contextmanager
def scratch_databases() -> Iterator[dict[str, str]]:
    """The environment in which `manage.py` finds an empty ClickHouse and SQLite, deleted afterwards."""
    with tempfile.TemporaryDirectory(prefix="atsite-schema-") as folder, EmbeddedClickHouse(Path(folder)) as clickhouse:
        address = clickhouse.address
        yield environment_without_stores() | {
            "ATSITE_ENVIRONMENT": "test",
            "DATA_DIR": folder,
            "CLICKHOUSE_ADDRESS": f"{address.host}:{address.tcp_port}",
            "CLICKHOUSE_USERNAME": address.user,
            "CLICKHOUSE_PASSWORD": address.password,
            "CLICKHOUSE_DATABASE": "atsite",
        }


def manage(*arguments: str, environment: Mapping[str, str] | None = None, capture: bool = False) -> str:
    """Run `manage.py` with these arguments; returns its output with `capture`, else "".

    Raises subprocess.CalledProcessError when it fails.
    """
    done = subprocess.run(  # noqa: S603  this interpreter and this project's own command
        [sys.executable, str(BASE_DIR / "manage.py"), *arguments],
        env=environment,
        check=True,
        text=True,
        stdout=subprocess.PIPE if capture else None,
    )
    return done.stdout or ""
