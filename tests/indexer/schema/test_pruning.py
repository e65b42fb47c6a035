"""The hot reads read a few granules of many, whatever the table grows to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse import door
from indexer.admin.actor_queries import DIDS_BY_HANDLE, dids_by_handle, last_dids
from tests.builders import ago, micros
from tests.conftest import empty_clickhouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROWS = 120_000
#: Granules of 8,192 rows, in tables without their own granularity.
GRANULES = ROWS // 8192

FILL = """
INSERT INTO repo_records (repo, collection, rkey, operation, rev, record_json, time_us, version)
WITH toUInt64({now:UInt64} - number * 10000000) AS at
SELECT
    concat('did:plc:', leftPad(toString(cityHash64(number) % 5000), 24, '0')),
    {collection:String},
    atsiteMicrosToTid(at),
    'create', '', {record:String}, at, at * 1024
FROM numbers({rows:UInt64})
"""

SUBJECT = "at://did:plc:000000000000000000000001/app.bsky.feed.post/"
POST_RECORD = json.dumps({"text": "plain words in every post"})


@pytest.fixture
def no_actors(django_db_setup: None) -> None:
    """The tables of actors empty; the other tests of this module fill theirs once."""
    for table in ("actor_identities", "actor_accounts", "actor_profiles", "actor_handles"):
        door.execute(f"TRUNCATE TABLE {table}", name="tests.truncate")


@pytest.fixture(scope="module")
def now(django_db_setup: None) -> int:
    """Two weeks of posts, likes and follows, one each ten seconds; the moment of the newest, in microseconds."""
    empty_clickhouse()
    now = micros(ago())
    liked = SUBJECT + tid_of_micros(now - 3_600_000_000)
    for collection, record in {
        "app.bsky.feed.post": POST_RECORD,
        "app.bsky.feed.like": json.dumps({"subject": {"uri": liked}}),
        "app.bsky.graph.follow": json.dumps({"subject": "did:plc:000000000000000000000001"}),
    }.items():
        parameters = {"now": now, "collection": collection, "record": record, "rows": ROWS}
        door.execute(FILL, parameters, name="tests.fill")
    for table in ("posts", "posts_by_actor", "likes", "engagement", "follows"):
        door.execute(f"OPTIMIZE TABLE {table} FINAL", name="tests.optimize")
    return now


def test_hot_reads_prune(now: int) -> None:
    hour_ago, did = tid_of_micros(now - 3_600_000_000), "did:plc:000000000000000000000042"
    reads: dict[str, tuple[str, dict[str, object], int]] = {
        # 72 of 333 hours, and the granule at each end; those of posts have 1,024 rows
        "recent posts": (
            "SELECT uri FROM recent_posts ORDER BY rkey DESC, did DESC LIMIT 25",
            {},
            ROWS // 1024 // 4 + 2,
        ),
        "likes of an hour": ("SELECT count() FROM likes FINAL WHERE rkey >= {rkey:String}", {"rkey": hour_ago}, 2),
        "posts of an actor": (
            "SELECT rkey FROM posts_by_actor FINAL WHERE did = {did:String} AND deleted = 0 ORDER BY rkey DESC LIMIT 9",
            {"did": did},
            2,
        ),
        "the follows of an actor": ("SELECT following FROM following_counts WHERE did = {did:String}", {"did": did}, 2),
        "an absent word": (
            "SELECT uri FROM posts FINAL WHERE hasAll(atsiteWordTokens(words), ['absent']) AND deleted = 0"
            " ORDER BY rkey DESC LIMIT 9",
            {},
            0,
        ),
        "an absent pair of characters": (
            "SELECT uri FROM posts FINAL WHERE hasAll(atsiteWordTokens(words), ['東京']) AND deleted = 0",
            {},
            0,
        ),
        "likes of a day": (
            "SELECT likes FROM daily_stats_likes(low = {low:String}, high = {high:String})",
            {"low": tid_of_micros(now - 25 * 3_600_000_000), "high": hour_ago},
            3,
        ),
    }
    read = {name: _granules(sql, parameters) for name, (sql, parameters, _) in reads.items()}
    assert {name: count for name, (count, of) in read.items() if count > reads[name][2]} == {}
    assert all(of >= GRANULES for _, of in read.values())


def test_engagement_of_one_subject_is_a_key_look_up(now: int) -> None:
    sql = """
        SELECT count() FROM engagement
        WHERE subject_rkey IN {rkeys:Array(String)} AND subject_uri IN {uris:Array(String)}
    """
    rkey = tid_of_micros(now - 7_200_000_000)
    assert _granules(sql, {"rkeys": [rkey], "uris": [SUBJECT + rkey]})[0] <= 1


def test_an_actor_is_a_key_look_up_in_all_three_tables(no_actors: None) -> None:
    for table, columns in {
        "actor_identities": "'h', 0, 1",
        "actor_accounts": "1, '', 0, 1",
        "actor_profiles": "'n', 'd', 'a', [], 0, 1, 0",
    }.items():
        sql = f"INSERT INTO {table} SELECT leftPad(toString(number), 8, '0'), {columns} FROM numbers({{rows:UInt64}})"
        door.execute(sql, {"rows": ROWS}, name="tests.actors")
        door.execute(f"OPTIMIZE TABLE {table} FINAL", name="tests.optimize")
    read, of = _granules("SELECT handle FROM actors WHERE did = {did:String}", {"did": "00050000"})
    assert (read, of >= 3 * GRANULES) == (3, True)


def test_actors_are_found_by_the_beginning_of_a_handle_in_the_key(no_actors: None) -> None:
    fill = """
        INSERT INTO actor_identities
        SELECT leftPad(toString(number), 8, '0'), concat(leftPad(toString(number * 7919 % 1000000), 6, '0'), '.t'), 1, 1
        FROM numbers({rows:UInt64})
    """
    door.execute(fill, {"rows": ROWS}, name="tests.actors")
    door.execute("OPTIMIZE TABLE actor_handles FINAL", name="tests.optimize")
    for prefix, most in {"5": 3, "50000": 2, "500008.t": 2}.items():  # a tenth of all, a few, one
        read, of = _granules(DIDS_BY_HANDLE, {"prefix": prefix, "limit": 100})
        assert (prefix, read <= most, of >= GRANULES) == (prefix, True, True)
    assert dids_by_handle("5") == sorted(dids_by_handle("5"), key=lambda did: int(did) * 7919 % 1_000_000)
    assert last_dids(low="", high="9", limit=51) == [f"{number:08}" for number in range(ROWS - 1, ROWS - 52, -1)]
    # Of as many rows that fit, the first ones alone are read.
    assert [_rows_read(name) < ROWS // 4 for name in ("indexer.dids_by_handle", "indexer.last_dids")] == [True, True]


def _rows_read(name: str) -> int:
    """Rows that the newest statement of that name read."""
    door.execute("SYSTEM FLUSH LOGS query_log", name="tests.flush")
    sql = """
        SELECT read_rows FROM system.query_log
        WHERE type = 'QueryFinish' AND startsWith(log_comment, {name:String})
        ORDER BY event_time_microseconds DESC LIMIT 1
    """
    return int(door.scalar(sql, {"name": name}, name="tests.rows_read"))


def _granules(sql: str, parameters: Mapping[str, object]) -> tuple[int, int]:
    """The granules that a statement reads after all indexes, and those of the tables, added up over all tables."""
    explained = "\n".join(door.column(f"EXPLAIN json = 1, indexes = 1 {sql}", parameters, name="tests.explain"))
    reads = [indexes for node in _nodes(json.loads(explained)) if (indexes := node.get("Indexes"))]
    selected = sum(indexes[-1]["Selected Granules"] for indexes in reads)
    return selected, sum(indexes[0]["Initial Granules"] for indexes in reads)


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a JSON value."""
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(child)
