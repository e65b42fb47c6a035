"""Whether a service says that it is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.telemetry import Health
from atsite.core.web import readiness
from tests import away

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
