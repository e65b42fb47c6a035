"""Both services that speak to programs, as they run, and a good API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from apikeys import keys
from apikeys.models import add_key
from tests.feeds import readers
from tests.feeds import service as feed_services
from tests.search import service as search_services
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="package")
def key(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[bytes]:
    """It opens every operation behind a key, so that what is odd comes as far as these."""
    minted = keys.mint()
    with django_db_blocker.unblock():
        row = add_key(minted, scopes=["members", "labels", "stats"], feeds=["a-mpls"], rate_limit=100_000)
    yield minted.text.encode()
    with django_db_blocker.unblock():
        type(row).every.filter(pk=row.pk).delete()


@pytest.fixture(scope="package")
def feedgen(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The feed generator's port."""
    readers.define_feeds(django_db_blocker)
    with feed_services.running(tmp_path_factory.mktemp("feedgen")) as service:
        until(lambda: service.skeleton(limit=1).status_code == 200)
        yield service.http.base_url.port or 0


@pytest.fixture(scope="package")
def search(django_db_setup: None) -> Iterator[int]:
    """The port of search."""
    for service in search_services.running():
        until(lambda: service.get("/stats").status_code == 200)  # noqa: B023 - there is one
        yield service.client.base_url.port or 0
