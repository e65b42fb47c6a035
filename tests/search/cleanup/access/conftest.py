"""A PDS for sessions, and sessions at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.search.cleanup.access.pds_that_notes import Notes, pds_that_notes

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pds() -> Iterator[Notes]:
    with pds_that_notes() as notes:
        yield notes
