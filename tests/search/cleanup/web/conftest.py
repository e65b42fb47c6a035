"""The search service in a process of its own, with a PDS of the tests, and an owner who has an account there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from search.cleanup.models import CleanupSwitch, PdsSession, RefusedAccount, RepoCleanupJob
from tests.search.cleanup import pds_server
from tests.search.service import Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.search.cleanup.pds_server import Account, PdsServer


@pytest.fixture(scope="session")
def cleanup_network() -> Iterator[PdsServer]:
    with pds_server.serving(time.time) as server:
        yield server


@pytest.fixture(scope="session")
def cleanup_service(django_db_setup: None, cleanup_network: PdsServer) -> Iterator[Service]:
    url = cleanup_network.url
    yield from running(PLC_URL=url, HANDLE_RESOLVER_URL=url, APPVIEW_URL=url)


@pytest.fixture
def pds(cleanup_network: PdsServer) -> PdsServer:
    """The PDS, well and without accounts."""
    cleanup_network.well()
    cleanup_network.accounts.clear()
    cleanup_network.calls.clear()
    cleanup_network._refreshes.clear()
    return cleanup_network


@pytest.fixture
def mira(pds: PdsServer) -> Account:
    return pds.account("mira")


@pytest.fixture
def service(
    cleanup_service: Service, pds: PdsServer, clickhouse: None, valkey: redis.Redis, transactional_db: None
) -> Service:
    """The service over empty tables."""
    for model in (PdsSession, RefusedAccount, CleanupSwitch):
        model.objects.all().delete()
    assert not RepoCleanupJob.objects.exists()
    return cleanup_service
