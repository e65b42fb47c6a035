"""Readiness of a service: `/readyz`, for a load balancer.

| store away | feed generator | search, admin |
|---|---|---|
| ClickHouse | not ready: label feeds answer 503 and deleted posts stay in | not ready |
| `default` | not ready: access cannot be decided | not ready |
| Redis | ready: it serves its own copies, and reads `default` | ready |

A service that is not ready still answers what it can; removing it helps only if another one can reach the stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError, connections

from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.clickhouse.limits import Limits
from atsite.core.errors import ConfigError
from atsite.core.routers import DEFAULT
from atsite.core.telemetry import Health

if TYPE_CHECKING:
    from collections.abc import Callable

#: A load balancer waits a few seconds at most.
ASKING: Final = Limits(max_execution_time=2, max_memory_usage=100_000_000, readonly=True)


def stores() -> Health:
    """Whether ClickHouse and `default` answer now. Blocks; never raises errors of a store."""
    asked: dict[str, Callable[[], None]] = {"ClickHouse": _ask_clickhouse, "the relational database": _ask_default}
    reasons = tuple(f"{name} does not answer: {problem}" for name, ask in asked.items() if (problem := _problem(ask)))
    return Health(ok=not reasons, reasons=reasons)


def _problem(ask: Callable[[], None]) -> str:
    """The class of the error (its text may contain an address); "" without an error."""
    try:
        ask()
    except (ClickHouseError, ConfigError, DatabaseError, InterfaceError) as error:
        return type(error).__name__
    return ""


def _ask_clickhouse() -> None:
    door.scalar("SELECT 1", name="readyz", limits=ASKING)


def _ask_default() -> None:
    """Uses a new connection and closes it: the calling thread ends with the answer."""
    connection = connections[DEFAULT]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        if not connection.in_atomic_block:
            connection.close()
