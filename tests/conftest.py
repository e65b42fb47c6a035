"""Fixtures every part shares: the migrated databases, empty stores, the recorded network data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.core.management import call_command
from django.test import TransactionTestCase

from atsite.core import kv
from atsite.core.clickhouse import door
from atsite.core.config import BASE_DIR, config
from tests.flushing import flush

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from pytest_django.plugin import DjangoDbBlocker


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> None:
    """Both databases, migrated once: the session's own SQLite file and ClickHouse database."""
    with django_db_blocker.unblock():
        door.execute(
            f"CREATE DATABASE IF NOT EXISTS {config.clickhouse_database}", name="tests.create", database="default"
        )
        call_command("migrate", verbosity=0)
        call_command("migrate", database="clickhouse", verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """A test with transactions of its own leaves a flushed database behind, sooner than by Django's flush."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: flush())
        yield


@pytest.fixture
def clickhouse(django_db_setup: None) -> None:
    """The migrated ClickHouse database with every table empty."""
    empty_clickhouse()


def empty_clickhouse() -> None:
    """Take all rows out of the migrated database."""
    tables = door.column(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
        " AND name != 'django_migrations' AND total_rows != 0",
        name="tests.tables",
    )
    for table in tables:
        door.execute(f"TRUNCATE TABLE `{table}`", name="tests.truncate")


@pytest.fixture
def valkey() -> redis.Redis:
    """A client of the session's Valkey, whose database is empty."""
    client = kv.client()
    client.flushdb()
    return client


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded network data; tests that need it are skipped, by name, where it is missing."""
    folder = Path(os.environ.get("ATSITE_TEST_DATA") or BASE_DIR.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"needs the recorded network data: {folder} (ATSITE_TEST_DATA) is missing")
    return folder
