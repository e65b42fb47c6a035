"""Fixes for django-clickhouse-backend 2.0, installed once at start (atsite.apps).

The backend has one pool of clients per process. Without fixes, the pool raises instead of waiting when all are busy,
and shares its sockets with forked children; on_commit hooks inside atomic() never run; a lost connection raises a bare
EOFError. Transactions on ClickHouse are unchanged: nothing is ever rolled back.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from clickhouse_backend.backend.base import DatabaseWrapper
from clickhouse_backend.driver import connection as driver_connection
from clickhouse_backend.driver.pool import ClickhousePool
from clickhouse_driver.dbapi.errors import InterfaceError, OperationalError
from django.conf import settings
from django.core import checks
from django.db import connections

from atsite.core.clickhouse.pool import WAIT_SECONDS, let_go

if TYPE_CHECKING:
    from collections.abc import Callable

    from clickhouse_driver import Client


class WaitingPool(ClickhousePool):  # type: ignore[misc]
    """Waits for a free client. Re-entrant, because a cursor's finaliser may return its client at any time."""

    wait_seconds = WAIT_SECONDS

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._lock = threading.RLock()
        self._freed = threading.Condition(self._lock)

    def pull(self, key: str | None = None) -> Client:
        """A client. Raises InterfaceError if none becomes free in `wait_seconds`."""
        deadline = time.monotonic() + self.wait_seconds
        with self._freed:
            while key not in self._used and len(self._used) >= self.connections_max and not self.closed:
                if not self._freed.wait(deadline - time.monotonic()):
                    count = self.connections_max
                    raise InterfaceError(f"all {count} connections were busy for {self.wait_seconds:g} s")
            return super().pull(key)

    def push(self, client: Client = None, key: str | None = None, close: bool = False) -> None:
        """Give a client back."""
        with self._freed:
            super().push(client, key, close)
            self._freed.notify()


def install() -> None:
    """Install the fixes. Safe to call again."""
    if driver_connection.ClickhousePool is WaitingPool:
        return
    driver_connection.ClickhousePool = WaitingPool
    driver_connection.Cursor.execute = _translating(driver_connection.Cursor.execute)
    DatabaseWrapper.set_autocommit = _set_autocommit
    DatabaseWrapper.commit = _commit
    os.register_at_fork(after_in_child=_after_fork)
    atexit.register(_at_exit)
    checks.register(check_time_zone)


def check_time_zone(**kwargs: object) -> list[checks.CheckMessage]:
    """E002: toYYYYMM and similar functions are written into the DDL with the time zone of the settings."""
    if settings.TIME_ZONE == "UTC":
        return []
    text = 'TIME_ZONE must be "UTC": the ClickHouse backend writes the time zone into tables.'
    return [checks.Error(text, id="atsite.E002")]


def _translating(execute: Callable[..., None]) -> Callable[..., None]:
    """Turn a lost connection into an OperationalError, like a refused one."""

    def translated(cursor: Any, operation: str, parameters: Any = None) -> None:
        try:
            execute(cursor, operation, parameters)
        except (EOFError, OSError) as error:
            raise OperationalError(f"the connection to ClickHouse was lost: {error}") from error

    return translated


def _set_autocommit(
    self: DatabaseWrapper, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False
) -> None:
    """As BaseDatabaseWrapper.set_autocommit: the end of the outermost atomic() runs the hooks of on_commit."""
    self.autocommit = autocommit
    if autocommit and self.run_commit_hooks_on_set_autocommit_on:
        self.run_and_clear_commit_hooks()
        self.run_commit_hooks_on_set_autocommit_on = False


def _commit(self: DatabaseWrapper) -> None:
    self.run_commit_hooks_on_set_autocommit_on = True


def _at_exit() -> None:
    for _, connection in DatabaseWrapper._clickhouse_connections.values():
        connection.close()


def _after_fork() -> None:
    """In a forked child: use new connections and leave the parent's sockets open."""
    for _, connection in DatabaseWrapper._clickhouse_connections.values():
        for client in (*connection.pool._pool, *connection.pool._used.values()):
            let_go(client)
    DatabaseWrapper._clickhouse_connections = {}
    DatabaseWrapper._connection_sharing_lock = threading.Lock()
    for wrapper in connections.all(initialized_only=True):
        if isinstance(wrapper, DatabaseWrapper):
            wrapper.connection = None
