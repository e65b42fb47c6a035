"""Stores that die while the indexer writes to them, and inserts that died between a table and its views."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.clickhouse import door
from atsite.core.config import BASE_DIR
from indexer.stream.batch import Limits
from tests.indexer import frames
from tests.indexer.conftest import index
from tests.indexer.frames import POST, SECOND, T0
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.stream_fold import _rows as rows_of
from tests.indexer.stream_fold import all_rows, fold, stored
from tests.indexer.synthetic import synthetic
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.indexer.conftest import IndexerProcess
    from tests.indexer.stores import OwnStores

SQL = BASE_DIR / "indexer" / "sql" / "materialized"
#: Fed by the fill, which asks again, and not by the stream; and by floors, which this stream has none of.
FED_OTHERWISE = {"actor_handles_of_fills_mv", "people_facts_of_fills_mv", "people_facts_of_floors_mv"}
VIEWS = sorted({path.stem for path in SQL.glob("*.sql")} - FED_OTHERWISE)
DERIVED = (
    "posts", "posts_by_actor", "likes", "reposts", "follows", "blocks", "engagement", "followers", "retractions",
    "actor_profiles", "actor_handles", "blockers", "people_facts", "people_tokens",
)  # fmt: skip
ONE_BATCH = Limits(rows=100_000)


def source_and_target(view: str) -> tuple[str, str]:
    """The table that a view reads, and the one it feeds."""
    sql = (SQL / f"{view}.sql").read_text(encoding="utf-8")
    target, sources = re.search(rf"{view} TO (\w+) AS", sql), set(re.findall(r"^ *FROM (\w+)", sql, re.MULTILINE))
    assert target is not None
    (source,) = sources
    return source, target[1]


def told_apart() -> list[dict[str, str]]:
    """Every view and the table it feeds, in groups in which no two views fill the same table, even by way of others."""
    ways = {view: source_and_target(view) for view in VIEWS}
    groups: list[dict[str, str]] = []
    for view, (_, target) in ways.items():
        for group in groups:
            if not any(reached(target, ways) & reached(other, ways) for other in group.values()):
                group[view] = target
                break
        else:
            groups.append({view: target})
    return groups


def reached(table: str, ways: Mapping[str, tuple[str, str]]) -> set[str]:
    """The table and all that views fill from it."""
    return {table}.union(*(reached(target, ways) for source, target in ways.values() if source == table))


def without_deletions(stream: list[bytes]) -> list[bytes]:
    """The stream without deleted accounts: what is below a floor need not be healed."""
    return [frame for frame in stream if json.loads(frame).get("account", {}).get("status") != "deleted"]


def one_of_each_other() -> list[bytes]:
    """What the synthetic stream has none of: a reply, a repost, a block, a profile."""
    repo, at = frames.did(1), T0 + 2000 * SECOND
    subject = {"cid": frames.CID, "uri": f"at://{repo}/{POST}/3mmoojp7etg2g"}
    records: tuple[tuple[str, dict[str, Any]], ...] = (
        (POST, {"text": "a reply", "reply": {"parent": subject, "root": subject}}),
        (frames.REPOST, {"subject": subject}),
        ("app.bsky.graph.block", {"subject": frames.did(2)}),
        ("app.bsky.actor.profile", {"displayName": "A"}),
    )
    return [frames.commit(repo, collection, rkey_of(collection), record, at=at) for collection, record in records]


def rkey_of(collection: str) -> str:
    """A profile has one place in its repo."""
    return "self" if collection.endswith(".profile") else "3mmoojp7etg2g"


def derived() -> dict[str, Any]:
    actors = "SELECT kind, hour, uniqCombined64Merge(17)(actors) FROM daily_stats_actors GROUP BY kind, hour"
    return {table: all_rows(table) for table in DERIVED} | {"daily_stats_actors": sorted(rows_of(actors))}


@pytest.mark.usefixtures("clickhouse", "valkey")
@pytest.mark.django_db(databases=["default", "clickhouse"])
def test_an_insert_that_died_between_the_table_and_any_of_its_views_is_healed_by_the_replay() -> None:
    stream = without_deletions(synthetic(events=300)) + one_of_each_other()
    told = ("actor_identities", "identity_changes", "actor_accounts")
    tables = [*DERIVED, "daily_stats_actors", "repo_records", *told]
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=len(stream), limits=ONE_BATCH)
        whole = derived()
        harmed = []
        for views in told_apart():
            for table in tables:
                door.execute(f"TRUNCATE TABLE {table}", name="tests.truncate")
            for view in views:
                door.execute(f"DETACH TABLE {view}", name="tests.detach")
            index(jetstream.url, events=len(stream), limits=ONE_BATCH)
            for view in views:
                door.execute(f"ATTACH TABLE {view}", name="tests.attach")
            left = derived()
            harmed += [view for view, table in views.items() if left[table] != whole[table]]

            index(jetstream.url, events=len(stream), limits=ONE_BATCH)

            assert derived() == whole, views

    assert sorted(harmed) == VIEWS


@pytest.mark.slow
def test_clickhouse_killed_while_it_is_written_to_loses_nothing(
    own: OwnStores, processes: Callable[..., IndexerProcess]
) -> None:
    stream = without_deletions(synthetic(events=2000))
    step = len(stream) // 5
    source = MemorySource(stream[:step])
    with simulated_jetstream(source) as jetstream:
        indexer = processes(jetstream.url, "--from", "1", env=own.env)
        until(own.accounts_are(stream[:step]), "the first part is there")
        for number in range(1, 5):
            sent = jetstream.server.sent
            for frame in stream[step * number : step * (number + 1) if number < 4 else None]:
                jetstream.call(source.append, frame)
            until(lambda sent=sent: jetstream.server.sent > sent, "the next part is under way")  # type: ignore[misc]
            own.clickhouse.kill()
            own.clickhouse.restart()
        until(own.accounts_are(stream), "everything is there")
        code, output = indexer.terminate()

    assert code == 0, output
    assert stored(own.rows) == fold(stream)


@pytest.mark.slow
def test_redis_may_go_and_come_back_empty(own: OwnStores, processes: Callable[..., IndexerProcess]) -> None:
    stream = without_deletions(synthetic(events=900))
    source = MemorySource(stream[:300])
    with simulated_jetstream(source) as jetstream:
        indexer = processes(jetstream.url, "--from", "1", env=own.env)
        until(own.accounts_are(stream[:300]), "the first part is there")
        own.valkey.kill()
        for frame in stream[300:600]:
            jetstream.call(source.append, frame)
        until(own.accounts_are(stream[:600]), "the part without Redis is there")
        indexer.kill()
        indexer = processes(jetstream.url, env=own.env)
        for frame in stream[600:]:
            jetstream.call(source.append, frame)
        until(own.accounts_are(stream), "a start without Redis goes on from ClickHouse's checkpoint")
        own.valkey.restart()
        code, output = indexer.terminate()

    assert code == 0, output
    assert "no checkpoint in Redis" in output
    assert stored(own.rows) == fold(stream)
