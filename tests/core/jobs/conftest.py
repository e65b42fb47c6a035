"""The table of the tests' own jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from tests.core.jobs.rows import Errand

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def errands(transactional_db: None) -> Iterator[None]:
    """An empty table of errands."""
    with connection.schema_editor() as editor:
        editor.create_model(Errand)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Errand)
