"""The world of the engine's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.search.cleanup.engine.world import World, a_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(clickhouse: None, valkey: None, transactional_db: None, tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path) as made:
        yield made
