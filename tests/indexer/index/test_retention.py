from __future__ import annotations

import pytest

from atsite.core.clickhouse import door
from indexer.index import retention

pytestmark = pytest.mark.usefixtures("clickhouse")


def test_the_days_that_raw_events_are_kept_follow_the_setting() -> None:
    before = retention.kept_days()
    try:
        assert [retention.keep(7), retention.kept_days(), retention.keep(7)] == [True, 7, False]
    finally:  # word for word as the migration left it: the schema's dump is compared with it
        door.execute("ALTER TABLE repo_records MODIFY TTL stored_at + toIntervalDay(30)", name="tests.ttl")
    assert (before, retention.kept_days()) == (30, 30)
