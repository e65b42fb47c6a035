"""The search service in a process of its own, open to everyone, with a PDS of the tests that may lie."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from tests.search.cleanup import pds_server
from tests.search.service import Service, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from tests.search.cleanup.pds_server import Account, PdsServer

#: Bytes of the largest repo, and seconds for its download.
REPO_MAX: Final = 3_000_000
SECONDS: Final = 3


@pytest.fixture(scope="package")
def tools_network() -> Iterator[PdsServer]:
    with pds_server.serving(time.time) as server:
        yield server


@pytest.fixture(scope="package")
def tools_service(django_db_setup: None, tools_network: PdsServer) -> Iterator[Service]:
    url = tools_network.url
    yield from running(
        PLC_URL=url,
        HANDLE_RESOLVER_URL=url,
        TOOLS_ANONYMOUS="1",
        TOOLS_PER_MINUTE="1000000",
        TOOLS_REPO_MAX_BYTES=str(REPO_MAX),
        TOOLS_REPO_SECONDS=str(SECONDS),
    )


@pytest.fixture
def pds(tools_network: PdsServer) -> PdsServer:
    """The PDS, well and without accounts."""
    tools_network.well()
    tools_network.accounts.clear()
    tools_network.calls.clear()
    return tools_network


@pytest.fixture
def mira(pds: PdsServer) -> Account:
    return pds.account("mira")


@pytest.fixture
def service(tools_service: Service, pds: PdsServer, clickhouse: None, valkey: redis.Redis) -> Service:
    """The service over empty stores."""
    return tools_service
