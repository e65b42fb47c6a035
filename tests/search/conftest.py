"""The search service of the test session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.search.service import Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def search_service(django_db_setup: None) -> Iterator[Service]:
    """One service for all tests: it keeps nothing between answers that depends on what is stored."""
    yield from running()


@pytest.fixture
def service(search_service: Service, clickhouse: None) -> Service:
    """The service over empty tables."""
    return search_service
