"""A store of each kind on a directory of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.embedded import EmbeddedClickHouse, EmbeddedValkey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from atsite.core.embedded.store import EmbeddedStore


@pytest.fixture
def clickhouse_store(tmp_path: Path) -> Iterator[EmbeddedClickHouse]:
    """A ClickHouse that is not started; ended after the test in any case."""
    store = EmbeddedClickHouse(tmp_path / "clickhouse")
    yield store
    store.kill()


@pytest.fixture
def valkey_store(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey that is not started; ended after the test in any case."""
    store = EmbeddedValkey(tmp_path / "valkey")
    yield store
    store.kill()


@pytest.fixture(params=["clickhouse_store", "valkey_store"])
def store(request: pytest.FixtureRequest) -> EmbeddedStore[Any]:
    """Each of the two in turn."""
    made: EmbeddedStore[Any] = request.getfixturevalue(request.param)
    return made
