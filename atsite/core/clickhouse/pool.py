"""The process's pool of ClickHouse connections: bounded, shared by threads, not shared with forked children."""

from __future__ import annotations

import atexit
import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from clickhouse_driver import Client

from atsite.core.clickhouse.errors import TooManyQueries
from atsite.core.config import config
from atsite.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: asyncio.to_thread has at most 32 threads and a Celery worker fewer; more queries than this only queue in the server.
SIZE = 16
#: How long a caller waits for a free connection. Longer than a read may take, so that a slow second causes no errors.
WAIT_SECONDS = 15.0
CONNECT_SECONDS = 5
#: The driver pings an idle connection before it uses it, and replaces a lost one before it sends anything.
PING_SECONDS = 5


def connect(database: str) -> Client:
    """A client that connects at its first use. Raises ConfigError if no server is configured."""
    if not config.clickhouse_address:
        raise ConfigError("no ClickHouse is configured: set CLICKHOUSE_ADDRESS, or run `./just up`, which starts one")
    host, _, port = config.clickhouse_address.rpartition(":")
    return Client(
        host=host.strip("[]"),
        port=int(port),
        user=config.clickhouse_username,
        password=config.clickhouse_password,
        database=database,
        client_name=f"atsite {config.service}",
        connect_timeout=CONNECT_SECONDS,
        sync_request_timeout=PING_SECONDS,
        settings={"server_side_params": True},
        # An unknown setting is an error, instead of a limit that silently has no effect.
        settings_is_important=True,
        tcp_keepalive=True,
    )


def let_go(client: Client) -> None:
    """In a forked child: close its copy of the parent's socket."""
    if client.connection.socket is not None:
        with suppress(OSError):
            client.connection.socket.close()  # not disconnect(), which would shut the parent's connection down
        client.connection.reset_state()


class Pool:
    """At most `size` clients of one database. Thread-safe."""

    def __init__(self, database: str, *, size: int = SIZE, wait: float = WAIT_SECONDS) -> None:
        self.database = database
        self.size = size
        self.wait = wait
        self._free = threading.Condition()
        self._idle: list[Client] = []
        self._used: set[Client] = set()

    @contextmanager
    def client(self, name: str) -> Iterator[Client]:
        """A client for one call. It is closed instead of kept when the call raises.

        Raises TooManyQueries if none becomes free in `wait` seconds.
        """
        client = self._take(name)
        try:
            yield client
        except BaseException:
            self._give_back(client, keep=False)
            raise
        self._give_back(client, keep=True)

    def close(self) -> None:
        """Close idle connections; those in use close when their calls end."""
        with self._free:
            idle, self._idle = self._idle, []
        for client in idle:
            client.disconnect()

    def abandon(self) -> None:
        """In a forked child: drop the parent's sockets without closing the connections, and start empty."""
        for client in (*self._idle, *self._used):
            let_go(client)
        self._free = threading.Condition()
        self._idle, self._used = [], set()

    def _take(self, name: str) -> Client:
        deadline = time.monotonic() + self.wait
        with self._free:
            while not self._idle and len(self._used) >= self.size:
                if not self._free.wait(deadline - time.monotonic()):
                    text = f"all {self.size} connections of this process were busy for {self.wait:g} s"
                    raise TooManyQueries(text, code=202, name=name)
            client = self._idle.pop() if self._idle else connect(self.database)
            self._used.add(client)
            return client

    def _give_back(self, client: Client, *, keep: bool) -> None:
        if not keep:
            with suppress(OSError):
                client.disconnect()
        with self._free:
            self._used.discard(client)
            if keep and client.connection.connected:
                self._idle.append(client)
            self._free.notify()


_pool = Pool(config.clickhouse_database)


def shared() -> Pool:
    """The pool of this process."""
    return _pool


def _after_fork() -> None:
    shared().abandon()


def _at_exit() -> None:
    shared().close()  # a stopping server waits for open connections


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
