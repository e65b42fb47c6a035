"""Stores that are away, for real: connections to them are refused."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.db import connections

from atsite.core.clickhouse import pool
from atsite.core.config import config
from atsite.core.kv import quick

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        return int(nobody.getsockname()[1])


@contextmanager
def redis_away() -> Iterator[None]:
    """No Redis for code that asks through atsite.core.kv.quick."""
    asking = quick.Asking(f"redis://127.0.0.1:{closed_port()}/0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick, "_asking", lambda url: asking)
        yield


@contextmanager
def clickhouse_away(port: int = 0) -> Iterator[None]:
    """No ClickHouse for code that goes through the door; on `port`, if that is given, else no one listens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "config", replace(config, clickhouse_address=f"127.0.0.1:{port or closed_port()}"))
        elsewhere = pool.Pool(config.clickhouse_database)
        patch.setattr(pool, "shared", lambda: elsewhere)
        yield


@contextmanager
def clickhouse_hanging() -> Iterator[None]:
    """A ClickHouse that takes connections and says nothing, as one that was stopped (SIGSTOP)."""
    with socket.create_server(("127.0.0.1", 0)) as silent, clickhouse_away(silent.getsockname()[1]):
        yield


@contextmanager
def default_away(nowhere: Path) -> Iterator[None]:
    """No relational store: its file lies in a folder that does not exist, or a server has no such database."""
    connection = connections["default"]
    connection.close()
    name = str(nowhere / "missing" / "default.sqlite3") if connection.vendor == "sqlite" else "missing"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", name)
        yield
    connection.close()
