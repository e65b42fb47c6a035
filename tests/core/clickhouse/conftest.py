"""A small table of likes, and models over it, for the tests of what reads ClickHouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.clickhouse import door

if TYPE_CHECKING:
    from collections.abc import Iterator

CREATE_LIKES = """
CREATE TABLE test_likes
(
    rkey        String,
    did         String,
    subject_uri String,
    version     UInt64,
    deleted     UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version) ORDER BY (rkey, did) SETTINGS index_granularity = 256
"""

CREATE_ACTORS = """
CREATE TABLE test_actors (did String, handle String, version UInt64)
ENGINE = ReplacingMergeTree(version) ORDER BY did
"""


@pytest.fixture
def likes(clickhouse: None) -> Iterator[str]:
    """The name of an empty table keyed (rkey, did)."""
    yield from _table("test_likes", CREATE_LIKES)


@pytest.fixture
def actors(clickhouse: None) -> Iterator[str]:
    """The name of an empty table keyed by did alone."""
    yield from _table("test_actors", CREATE_ACTORS)


def _table(name: str, create: str) -> Iterator[str]:
    door.execute(f"DROP TABLE IF EXISTS {name}", name="tests.drop")
    door.execute(create, name="tests.create")
    yield name
    door.execute(f"DROP TABLE {name}", name="tests.drop")


def like_columns(rows: list[tuple[str, str, str]], *, version: int = 1, deleted: int = 0) -> dict[str, list[object]]:
    """Columns of test_likes from (rkey, did, subject_uri)."""
    return {
        "rkey": [rkey for rkey, _, _ in rows],
        "did": [did for _, did, _ in rows],
        "subject_uri": [subject for _, _, subject in rows],
        "version": [version] * len(rows),
        "deleted": [deleted] * len(rows),
    }
