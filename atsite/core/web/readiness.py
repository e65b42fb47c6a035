"""Readiness of a service: `/readyz`, for a load balancer.

| store away | feed generator | search, admin |
|---|---|---|
| ClickHouse | not ready: label feeds answer 503 and deleted posts stay in | not ready |
| `default` | not ready: access cannot be decided | not ready |
| Redis | ready: it serves its own copies, and reads `default` | ready |

A store that hangs counts as away after SECONDS. A service that is not ready still answers what it can; removing it
helps only if another one can reach the stores.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError, connections

from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.clickhouse.limits import Limits
from atsite.core.routers import DEFAULT
from atsite.core.telemetry import Health
from atsite.core.web.store_timeouts import StoreAway, StoreGuard

if TYPE_CHECKING:
    from collections.abc import Callable

#: A load balancer waits a few seconds at most, for both stores; it asks again without a pause.
SECONDS: Final = 2
CLICKHOUSE: Final = StoreGuard("ClickHouse", seconds=SECONDS, pause=0)
RELATIONAL: Final = StoreGuard("the relational database", seconds=SECONDS, pause=0)
ASKING: Final = Limits(max_execution_time=SECONDS, max_memory_usage=100_000_000, readonly=True, answer_grace=1)


def stores() -> Health:
    """Whether ClickHouse and `default` answer now. Blocks; never raises errors of a store."""
    asked = ((CLICKHOUSE, _ask_clickhouse), (RELATIONAL, _ask_default))
    problems = ((guard.name, _problem(guard, ask)) for guard, ask in asked)
    reasons = tuple(f"{name} does not answer: {problem}" for name, problem in problems if problem)
    return Health(ok=not reasons, reasons=reasons)


def require_clickhouse() -> None:
    """Return if ClickHouse answers now. Raises StoreAway within SECONDS, and ClickHouseError."""
    CLICKHOUSE.call(_ask_clickhouse)


def _problem(guard: StoreGuard, ask: Callable[[], None]) -> str:
    """The class of the error (its text may contain an address); "" without an error."""
    try:
        guard.call(ask)
    except StoreAway as error:
        return type(error.__cause__ or error).__name__
    except (ClickHouseError, DatabaseError, InterfaceError) as error:
        return type(error).__name__
    return ""


def _ask_clickhouse() -> None:
    door.ping(limits=ASKING)


def _ask_default() -> None:
    """Uses a new connection and closes it: a thread of the guard asks rarely."""
    connection = connections[DEFAULT]
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        if not connection.in_atomic_block:
            connection.close()
