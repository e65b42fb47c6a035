"""An embedded ClickHouse: the engine of the chdb-core wheel with real native and HTTP ports, in a child process."""

from __future__ import annotations

import importlib.machinery
import os
import platform
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path

from atsite.core.embedded import clickhouse_config, files, ports
from atsite.core.embedded.clickhouse_config import ClickHouseAddress
from atsite.core.embedded.errors import EngineMissing, StoreFailed
from atsite.core.embedded.store import ANSWER_SECONDS, EmbeddedStore

PROGRAM = Path(__file__).with_name("clickhouse_process.py")
USER = "app"
USUAL_TCP_PORT, USUAL_HTTP_PORT = 9000, 8123
#: `system` and `default` are seeded beside the one asked for (clickhouse_config.seed_database says why).
SEEDED = ("system", "default")
DATABASE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Memory of the whole server: enough for a day of the network, and never more than half of a small machine.
MAX_MEMORY = 4_000_000_000
MACHINE_SHARE = 0.5


class EmbeddedClickHouse(EmbeddedStore[ClickHouseAddress]):
    """A ClickHouse on one data directory.

    With a port 0 it takes the first free one of: the port of the last start, 9000 and 8123 (with `usual_ports`), any.
    `port_offset`: with `usual_ports`, the usual ports moved by this number, and no others.
    `max_memory`: bytes for the whole server; one query may use half of it. Never let untrusted SQL reach it: SQL can
    read any file of this user.
    """

    name = "ClickHouse"

    def __init__(
        self,
        root: Path,
        *,
        tcp_port: int = 0,
        http_port: int = 0,
        usual_ports: bool = False,
        port_offset: int = 0,
        database: str = "atsite",
        max_memory: int | None = None,
    ) -> None:
        super().__init__(root)
        if not DATABASE_NAME.fullmatch(database):
            raise StoreFailed(
                f"{database!r} is not a valid database name: use letters, digits and _, and do not begin with a digit."
            )
        self._database = database
        self._max_memory = max_memory or min(MAX_MEMORY, int(machine_memory() * MACHINE_SHARE))
        usual_tcp, usual_http = (USUAL_TCP_PORT, USUAL_HTTP_PORT) if usual_ports else (0, 0)
        self._tcp_port = ports.wish("tcp_port", asked=tcp_port, usual=usual_tcp, offset=port_offset)
        self._http_port = ports.wish("http_port", asked=http_port, usual=usual_http, offset=port_offset)

    def _command(self) -> list[str]:
        require_engine()
        # By file and isolated (-I): neither the project nor Django is imported, whatever the working directory.
        return [sys.executable, "-I", str(PROGRAM), str(self.root)]

    def _wishes(self) -> tuple[ports.PortWish, ...]:
        return (self._tcp_port, self._http_port)

    def _prepare(self, chosen: dict[str, int]) -> ClickHouseAddress:
        password = files.password_of(self.root / "etc" / "password")
        address = ClickHouseAddress(
            ports.LOOPBACK, chosen["tcp_port"], chosen["http_port"], USER, password, self._database
        )
        clickhouse_config.write_configuration(self.root, address, server_memory=self._max_memory)
        for database in (*SEEDED, self._database):
            clickhouse_config.seed_database(self.root / "data", database)
        return address

    def _answers(self, address: ClickHouseAddress) -> bool:
        """Runs a query with the password over HTTP, because the HTTP port opens last."""
        request = urllib.request.Request(
            f"http://{address.host}:{address.http_port}/?query=SELECT+1&database={address.database}",
            headers={"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback goes through no proxy
        try:
            with opener.open(request, timeout=ANSWER_SECONDS) as answer:
                return bool(answer.read() == b"1\n")
        except OSError:
            return False


def machine_memory() -> int:
    """The memory of this machine in bytes."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def require_engine() -> None:
    """Raise EngineMissing, which says what to do, if the engine cannot run here."""
    elsewhere = "or set CLICKHOUSE_ADDRESS to a server that runs elsewhere."
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        raise EngineMissing(
            f"The embedded ClickHouse needs glibc, which this system (musl?) does not have. Use another, {elsewhere}"
        )
    spec = importlib.machinery.PathFinder.find_spec("chdb")
    if spec is None or not spec.submodule_search_locations:
        raise EngineMissing(
            "The engine of the embedded ClickHouse is missing. Install the project's dependencies (package chdb-core),"
            f" {elsewhere}"
        )
