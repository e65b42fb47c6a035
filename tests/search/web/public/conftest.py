"""The search service with its public page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import ALICE
from tests.search.service import Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def public_service(django_db_setup: None) -> Iterator[Service]:
    """One service for all tests. It answers only callers with a key, besides its page."""
    yield from running(
        PUBLIC_PAGE="1",
        PUBLIC_PAGE_NAME="Canal watch",
        PUBLIC_PAGE_PER_MINUTE="1000000",
        SEARCH_ANONYMOUS="0",
        FEED_ACTOR_DID=ALICE,
    )


@pytest.fixture
def site(public_service: Service, clickhouse: None) -> Service:
    """The service over empty tables."""
    return public_service
