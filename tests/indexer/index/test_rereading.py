"""Raw events put through the views again after a change of rules."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.clickhouse import door
from indexer.index import rereading
from indexer.index.rereading import Due
from tests import builders as b
from tests.indexer.schema import fold, tables
from tests.indexer.schema.test_odd_records import ODD_DATES, WHOLE, WRONG, _insert, with_each_wrong_value
from tests.indexer.stream_fold import _rows as rows_of

if TYPE_CHECKING:
    import redis

migration: Any = import_module("indexer.migrations.0014_created_at")
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize("collection", list(WHOLE))
def test_whatever_the_rules_before_read_otherwise_is_read_again(clickhouse: None, collection: str) -> None:
    texts = [json.dumps(record) for wrong in WRONG for record in with_each_wrong_value(WHOLE[collection], wrong)]
    texts += [json.dumps({**WHOLE[collection], "createdAt": text}, ensure_ascii=False) for text in ODD_DATES]
    _insert(collection, texts, dids=[f"did:example:{number}" for number in range(len(texts))], rkey="self")
    view = "actor_profiles_mv" if collection == b.PROFILE else f"{tables.TABLES[collection]}_mv"
    columns = ", ".join(fold.COLUMNS[collection](""))
    before, now = (
        dict(rows_of(f"SELECT did, toString(tuple({columns})) FROM ({query})"))
        for query in (migration.query_before(view), f"SELECT * FROM {tables.TABLES[collection]} FINAL")
    )
    different = {did for did in now if now[did] != before[did]}
    day = str(rows_of("SELECT any(day) FROM repo_records")[0][0])
    again = set(
        door.column(
            f"SELECT repo FROM repo_records WHERE {rereading.OF_DAY['created_at']}", {"day": day}, name="tests.again"
        )
    )
    assert len(different) > 10
    missed = [(texts[int(did.rpartition(":")[2])], before[did], now[did]) for did in different - again]
    assert missed == []


def test_the_rows_of_a_day_are_made_anew_and_what_is_usual_is_left_alone(clickhouse: None, valkey: redis.Redis) -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    usual, odd = b.post(b.ALICE, at=at, text="usual"), b.post(b.ALICE, at=at, text="odd", created_at="12:30")
    other_day = b.post(b.ALICE, at=at + timedelta(days=1), created_at="12:30")
    b.store(usual, odd, other_day)
    for record in (usual, odd, other_day):  # as the rule before had read them
        columns: dict[str, list[object]] = {
            "rkey": [record.rkey], "did": [record.did], "version": [record.version], "text": ["before"],
            "created_at": [at],
        }  # fmt: skip
        door.insert("posts", columns, name="tests.before")
    door.execute(migration.DAYS, name="tests.days")
    assert rereading.due() == [Due("created_at", day) for day in ((at + timedelta(days=1)).date(), at.date())]

    assert rereading.run_due(now=datetime.now(UTC), budget=timedelta(minutes=1)) == 2

    found = {rkey: (text, created) for rkey, text, created in rows_of("SELECT rkey, text, created_at FROM posts FINAL")}
    assert found == {usual.rkey: ("before", at), odd.rkey: ("odd", None), other_day.rkey: ("", None)}
    assert (rereading.due(), rereading.run_due(now=NOW, budget=timedelta(minutes=1))) == ([], 0)
    assert rows_of("SELECT count() FROM repo_records FINAL") == [(3,)]


def test_a_run_that_died_begins_its_day_again_and_the_days_before_it_stay_done(
    clickhouse: None, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    b.store(*(b.post(b.ALICE, at=at + timedelta(days=day), created_at="2") for day in range(3)))
    door.execute(migration.DAYS, name="tests.days")
    done = []
    execute = door.execute

    def die_at_the_second(*arguments: Any, **options: Any) -> None:
        done.append(options)
        if len(done) == 2:
            raise RuntimeError("killed")
        execute(*arguments, **options)

    monkeypatch.setattr(door, "execute", die_at_the_second)
    with pytest.raises(RuntimeError):
        rereading.run_due(now=datetime.now(UTC), budget=timedelta(minutes=1))
    assert [str(row.day) for row in rereading.due()] == ["2026-11-21", "2026-11-20"]
    assert rereading.run_due(now=datetime.now(UTC), budget=timedelta(minutes=1)) == 2


def test_what_is_read_again_keeps_its_age_and_dead_rows_stay_dead(clickhouse: None) -> None:
    post, dead = b.post(b.ALICE, at=b.ago(days=2), text="a"), b.post(b.BOB, at=b.ago(days=2), text="b")
    b.store(post, dead, b.floor(b.BOB, at=b.ago(days=1)))
    door.execute("ALTER TABLE repo_records UPDATE stored_at = stored_at - 86400 WHERE 1 SETTINGS mutations_sync = 1",
                 name="tests.age")  # fmt: skip
    before = rows_of("SELECT repo, stored_at FROM repo_records ORDER BY repo")
    door.execute("TRUNCATE TABLE posts", name="tests.truncate")
    rereading.reread(b.POST, [(post.did, post.rkey), (dead.did, dead.rkey)])
    assert rows_of("SELECT did, text FROM posts FINAL") == [(b.ALICE, "a")]
    assert rows_of("SELECT DISTINCT repo, stored_at FROM repo_records ORDER BY repo") == before
