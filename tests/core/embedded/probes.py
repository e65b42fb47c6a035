"""How these tests look at a store from outside: clients, processes, waiting."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import redis
from clickhouse_driver import Client

if TYPE_CHECKING:
    from atsite.core.embedded import ClickHouseAddress, ValkeyAddress

REPOSITORY = Path(__file__).resolve().parents[3]
DEADLINE_SECONDS = 30.0


def clickhouse_client(address: ClickHouseAddress, **changes: Any) -> closing[Any]:
    """A client of the native protocol, to be used in a `with`; `changes` replace its arguments."""
    arguments = {
        "host": address.host,
        "port": address.tcp_port,
        "user": address.user,
        "password": address.password,
        "database": address.database,
        **changes,
    }
    client = Client(**arguments)
    client.close = client.disconnect
    return closing(client)


def clickhouse_rows(address: ClickHouseAddress, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one statement over a connection of its own."""
    with clickhouse_client(address) as client:
        rows = client.execute(sql)
        return rows if isinstance(rows, list) else []


def valkey_client(address: ValkeyAddress) -> closing[redis.Redis]:
    """A client that gives up at once, to be used in a `with`."""
    return closing(redis.Redis.from_url(address.url(), retry=None))


def processes_naming(text: str) -> list[str]:
    """The command lines that contain `text`, zombies left out."""
    if Path("/proc/self").exists():
        lines = [command_line(folder) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    else:
        lines = subprocess.run(
            ["ps", "-A", "-o", "args"], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    return [line for line in lines if text in line]


def command_line(folder: Path) -> str:
    """What /proc tells about one process; nothing when it is gone by now."""
    try:
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
