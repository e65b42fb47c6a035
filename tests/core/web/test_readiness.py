"""Whether a service says that it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.telemetry import Health
from atsite.core.web import readiness
from tests import away
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_ready_while_the_stores_answer() -> None:
    assert readiness.stores() == Health(ok=True)


def test_it_is_ready_without_redis() -> None:
    with away.redis_away():
        assert readiness.stores() == Health(ok=True)


def test_it_says_which_store_does_not_answer(tmp_path: Path) -> None:
    clickhouse = "ClickHouse does not answer: Unreachable"
    default = "the relational database does not answer: OperationalError"
    with away.clickhouse_away():
        assert readiness.stores() == Health(ok=False, reasons=(clickhouse,))
        with away.default_away(tmp_path):
            assert readiness.stores() == Health(ok=False, reasons=(clickhouse, default))
    assert readiness.stores() == Health(ok=True)


def test_a_store_that_hangs_counts_as_away_before_a_load_balancer_gives_up() -> None:
    with away.clickhouse_hanging():
        assert readiness.stores() == Health(ok=False, reasons=("ClickHouse does not answer: TimeoutError",))
    until(lambda: readiness.stores() == Health(ok=True))
