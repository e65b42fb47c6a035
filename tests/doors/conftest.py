"""Both services that speak to programs, as they run, and a good API key."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from django.db.models import QuerySet

from apikeys import keys
from apikeys.models import ApiKey, add_key
from atsite.core.routers import DEFAULT
from search.web.tools_api import A_LIST, ALICE
from tests.feeds import readers
from tests.feeds import service as feed_services
from tests.search import service as search_services
from tests.search.cleanup import pds_server
from tests.search.cleanup.pds_server import Account
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker

    from tests.feeds.service import Service
    from tests.search.cleanup.pds_server import PdsServer


#: One secret for all tests: the services keep what they read of a key for a while.
MINTED = keys.mint()


@pytest.fixture
def key(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[bytes]:
    """It opens every operation behind a key, so that what is odd comes as far as these.

    It lives for one test, because those of other packages count the keys that there are, and take away all rows.
    """
    with django_db_blocker.unblock():
        row = add_key(MINTED, scopes=["members", "labels", "stats", "tools"], feeds=["a-mpls"], rate_limit=100_000)
    yield MINTED.text.encode()
    with django_db_blocker.unblock():
        take_away(row)


def take_away(row: ApiKey) -> None:
    """Leave nothing of a key in `default`: its own `delete` only marks it."""
    rows: QuerySet[ApiKey] = QuerySet(ApiKey).using(DEFAULT).filter(pk=row.pk)
    rows._raw_delete(using=DEFAULT)
    ApiKey.history.filter(key_id=row.key_id).delete()


@pytest.fixture(scope="package")
def running_feedgen(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The feed generator of the package."""
    with feed_services.running(tmp_path_factory.mktemp("feedgen")) as service:
        yield service


@pytest.fixture
def feedgen(running_feedgen: Service, django_db_blocker: DjangoDbBlocker) -> int:
    """The feed generator's port, once it serves the feeds that every site begins with."""
    readers.define_feeds(django_db_blocker)
    until(lambda: running_feedgen.skeleton(limit=1).status_code == 200)
    return running_feedgen.http.base_url.port or 0


@pytest.fixture(scope="package")
def search(django_db_setup: None) -> Iterator[int]:
    """The port of search, on a network of a few accounts; its tools answer everyone."""
    with pds_server.serving(time.time) as pds:
        people_of(pds)
        yield from answering(
            PLC_URL=pds.url, HANDLE_RESOLVER_URL=pds.url, TOOLS_ANONYMOUS="1", TOOLS_PER_MINUTE="1000000"
        )


def people_of(pds: PdsServer) -> None:
    """The account of the examples, with a post and a list."""
    alice = Account("alice", ALICE, time.time)
    pds.accounts[alice.did] = alice
    uri = A_LIST.removeprefix(f"at://{ALICE}/")
    alice.repo.write({"app.bsky.feed.post/3k": {"text": "Hello"}, uri: {"name": "Roasters"}})


def answering(**environment: str) -> Iterator[int]:
    """The port of search once it has statistics."""
    for service in search_services.running(output=None, **environment):
        until(lambda: service.get("/stats").status_code == 200)  # noqa: B023 - there is one
        yield service.client.base_url.port or 0
