"""The network, and a site on it: the network once a session, the site once a module, on empty stores."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command

from atsite.core import kv
from atsite.core.config import BASE_DIR
from tests.conftest import empty_clickhouse
from tests.devnet import network as networks
from tests.devnet import site as sites
from tests.feeds.readers import define_feeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker

    from tests.devnet.network import Network
    from tests.devnet.site import Site


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """The official servers on loopback; tests that need them are skipped, by name, where their folder is missing."""
    with networks.running(_folder()) as running:
        yield running


@pytest.fixture
def limited_network() -> Iterator[Network]:
    """A network of its own whose PDS has the limits of a real one."""
    with networks.running(_folder(), LAB_RATE_LIMITS="1") as running:
        yield running


def _folder() -> Path:
    folder = Path(os.environ.get("ATSITE_DEVNET") or BASE_DIR.parent / "shared" / "devnet")
    if not (folder / "start.sh").is_file():
        pytest.skip(f"needs the AT Protocol network on loopback: {folder} (ATSITE_DEVNET) is missing")
    return folder


@contextmanager
def _own_stores(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Empty stores that this process and others see alike, without a test's transaction; afterwards as at first."""
    with blocker.unblock():
        empty_clickhouse()
        kv.client().flushdb()
        define_feeds(blocker)
        try:
            yield
        finally:
            call_command("flush", interactive=False, verbosity=0)
            define_feeds(blocker)
            kv.client().flushdb()


@pytest.fixture(scope="module")
def stores(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The session's stores for a whole module, whose tests and services share what is in them."""
    with _own_stores(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def site(network: Network, stores: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An indexer and a feed generator on the network."""
    with sites.running(network, tmp_path_factory.mktemp("site")) as running:
        yield running
