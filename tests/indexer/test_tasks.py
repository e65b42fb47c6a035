"""Each task of the indexer does the work that it is named after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from atsite.core.clickhouse import door
from atsite.core.config import config
from indexer import tasks
from indexer.index import do_not_index, retention, stats
from indexer.index.events import Dead, DeadReason
from indexer.index.records import dead_letters
from tests import builders as b
from tests.away import clickhouse_away
from tests.indexer import frames
from tests.rows import store

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]


def texts() -> list[str]:
    return door.column("SELECT text FROM posts FINAL WHERE deleted = 0 ORDER BY text", name="tests.texts")


def test_daily_statistics_are_rewritten() -> None:
    at = b.ago(hours=1)
    store(b.post(b.ALICE, at=at))
    tasks.rewrite_daily_stats()
    assert [day.posts for day in stats.daily(at.date(), at.date() + timedelta(days=1))] == [1]


def test_deleted_accounts_are_purged() -> None:
    store(b.post(b.ALICE, at=b.ago(days=2), text="gone"), b.post(b.BOB, at=b.ago(days=2), text="kept"))
    store(b.account(b.ALICE, active=False, status="deleted", at=b.ago(days=1)), b.floor(b.ALICE, at=b.ago(days=1)))
    tasks.purge_deleted_accounts()
    assert texts() == ["kept"]


def test_actors_that_are_not_indexed_are_purged() -> None:
    store(b.post(b.ALICE, at=b.ago(hours=1), text="gone"), b.post(b.BOB, at=b.ago(hours=1), text="kept"))
    with clickhouse_away():
        do_not_index.exclude(b.ALICE, by="mod", now=datetime.now(UTC))
    tasks.purge_excluded_actors()
    assert texts() == ["kept"]


def test_raw_events_are_kept_as_long_as_the_setting_says() -> None:
    try:
        retention.keep(config.keep_raw_days + 1)
        tasks.keep_raw_events()
        assert retention.kept_days() == config.keep_raw_days
    finally:  # word for word as the migration left it
        door.execute("ALTER TABLE repo_records MODIFY TTL stored_at + toIntervalDay(30)", name="tests.ttl")


def test_days_that_are_due_are_read_again() -> None:
    at = b.ago(days=3)
    odd = b.post(b.ALICE, at=at, text="odd", created_at="12:30")
    store(odd)
    before: dict[str, list[object]] = {
        "rkey": [odd.rkey],
        "did": [odd.did],
        "version": [odd.version],
        "text": ["before"],
        "created_at": [at],
    }
    door.insert("posts", before, name="tests.before")
    assert texts() == ["before"]
    day = at.date()
    door.insert("rereadings", {"day": [day], "reason": ["created_at"], "done": [0]}, name="tests.due")
    tasks.reread_raw_events()
    assert texts() == ["odd"]


def test_dead_letters_with_the_reason_are_retried() -> None:
    def letter(number: int, reason: DeadReason) -> Dead:
        payload = frames.post(frames.did(number), "3mmoojp7etg2g", f"post {number}", at=frames.T0)
        return Dead(reason, "", payload, frames.T0)

    letters = [letter(1, DeadReason.REFUSED), letter(2, DeadReason.BAD_FRAME)]
    door.insert("dead_letters", dead_letters(letters, "h"), name="tests.dead_letters")
    tasks.retry_dead_letters(reason=DeadReason.REFUSED)
    assert texts() == ["post 1"]
    tasks.retry_dead_letters()
    assert texts() == ["post 1", "post 2"]
