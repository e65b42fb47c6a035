"""The door on a real ClickHouse."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from clickhouse_driver.columns.datecolumn import DateColumn
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import BadContent, Refused, SchemaMismatch
from tests.core.clickhouse.conftest import like_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

LIKE = ("3a", "did:plc:a", "at://did:plc:b/app.bsky.feed.post/3b")


@dataclass(frozen=True, slots=True)
class LikeRow:
    rkey: str
    did: str


def logged(name: str) -> list[str]:
    """What the server noted of the statements of that name, the newest first."""
    door.execute("SYSTEM FLUSH LOGS query_log", name="tests.flush")
    return door.column(
        "SELECT log_comment || ' ' || Settings['insert_deduplicate'] || ' ' || Settings['max_execution_time'] || ' '"
        " || Settings['readonly'] FROM system.query_log WHERE type = 'QueryFinish'"
        " AND startsWith(log_comment, {name:String}) ORDER BY event_time_microseconds DESC",
        {"name": name},
        name="tests.logged",
    )


def test_rows_come_back_as_the_dataclass_in_the_order_of_the_columns(likes: str) -> None:
    door.insert(likes, like_columns([LIKE, ("3b", "did:plc:c", "")]), name="tests.likes")
    rows = door.query(f"SELECT rkey, did FROM {likes} ORDER BY rkey", into=LikeRow, name="tests.rows")
    assert rows == [LikeRow("3a", "did:plc:a"), LikeRow("3b", "did:plc:c")]
    assert door.column(f"SELECT did FROM {likes} ORDER BY rkey", name="tests.column") == ["did:plc:a", "did:plc:c"]
    assert door.scalar(f"SELECT count() FROM {likes}", name="tests.scalar") == 2


def test_no_rows_are_an_empty_list_and_no_scalar(likes: str) -> None:
    assert door.query(f"SELECT rkey, did FROM {likes}", into=LikeRow, name="tests.rows") == []
    assert door.column(f"SELECT rkey FROM {likes}", name="tests.column") == []
    with pytest.raises(LookupError, match=r"tests\.scalar: no row"):
        door.scalar(f"SELECT rkey FROM {likes}", name="tests.scalar")


def test_a_dataclass_with_another_number_of_fields_is_an_error_also_without_rows(likes: str) -> None:
    with pytest.raises(TypeError, match=r"tests\.rows: 3 columns do not fit the 2 fields of LikeRow"):
        door.query(f"SELECT rkey, did, version FROM {likes}", into=LikeRow, name="tests.rows")


def test_a_read_cannot_write(likes: str) -> None:
    with pytest.raises(Refused) as refusal:
        door.scalar(f"TRUNCATE TABLE {likes}", name="tests.truncate")
    assert (refusal.value.code, refusal.value.retryable) == (164, False)


def test_an_insert_returns_when_the_rows_are_there_and_is_never_skipped_as_a_duplicate(likes: str) -> None:
    name = f"tests.{uuid4().hex}"
    assert door.insert(likes, like_columns([LIKE]), name=name) == 1
    assert door.insert(likes, like_columns([LIKE]), name=name) == 1
    assert door.scalar(f"SELECT count() FROM {likes}", name="tests.count") == 2
    assert logged(name) == [f"{name} 0 120 "] * 2


def test_a_block_larger_than_the_drivers_own_is_one_block(likes: str) -> None:
    door.execute(f"CREATE OR REPLACE TABLE {likes} (n UInt8) ENGINE = MergeTree ORDER BY n", name="tests.create")
    rows = 1_100_000  # the driver's blocks have 1,048,449
    assert door.insert(likes, {"n": [0] * rows}, name="tests.large") == rows
    parts = door.column(f"SELECT rows FROM system.parts WHERE table = '{likes}' AND level = 0", name="tests.parts")
    assert parts == [rows]


def test_an_empty_insert_asks_nothing_and_unequal_columns_are_refused_here(likes: str) -> None:
    assert door.insert(likes, {"rkey": [], "did": []}, name="tests.empty") == 0
    assert door.insert("no_such_table", {}, name="tests.empty") == 0
    with pytest.raises(ValueError, match="columns of unequal length"):
        door.insert(likes, {"rkey": ["a"], "did": []}, name="tests.unequal")


@pytest.mark.parametrize("name", ["likes; DROP TABLE x", "likes`", "", "a.b.c", "läikes"])
def test_a_table_or_column_that_is_no_name_never_reaches_the_server(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid name of a table or column"):
        door.insert(name, {"rkey": ["a"]}, name="tests.name")
    with pytest.raises(ValueError, match="is not a valid name of a table or column"):
        door.insert("likes", {name: ["a"]}, name="tests.name")


@pytest.mark.parametrize(
    "value",
    ["text", -1, 2**64, None, 1.5, b"\xff", object()],
    ids=["text", "negative", "large", "none", "float", "bytes", "object"],
)
def test_a_value_that_does_not_fit_its_column_is_bad_content_and_nothing_is_stored(likes: str, value: object) -> None:
    columns = like_columns([LIKE, LIKE]) | {"version": [1, value]}
    with pytest.raises(BadContent) as refusal:
        door.insert(likes, columns, name="tests.bad")
    assert not refusal.value.retryable
    assert door.scalar(f"SELECT count() FROM {likes}", name="tests.count") == 0


@pytest.mark.parametrize("value", [1, None, "\ud800"], ids=["number", "none", "surrogate"])
def test_a_text_that_is_none_is_bad_content(likes: str, value: object) -> None:
    with pytest.raises(BadContent):
        door.insert(likes, like_columns([LIKE]) | {"did": [value]}, name="tests.bad")


def test_a_missing_table_or_column_is_a_schema_mismatch(likes: str) -> None:
    for columns, table in (({"rkey": ["a"]}, "no_such_table"), ({"nothing": ["a"]}, likes)):
        with pytest.raises(SchemaMismatch):
            door.insert(table, columns, name="tests.schema")
    with pytest.raises(SchemaMismatch):
        door.column(f"SELECT nothing FROM {likes}", name="tests.schema")


def test_a_block_with_too_many_partitions_is_bad_content_so_that_it_is_split(likes: str) -> None:
    door.execute(f"DROP TABLE {likes}", name="tests.drop")
    door.execute(f"CREATE TABLE {likes} (n UInt32) ENGINE = MergeTree PARTITION BY n ORDER BY n", name="tests.create")
    with pytest.raises(BadContent) as refusal:
        door.insert(likes, {"n": list(range(101))}, name="tests.partitions")
    assert refusal.value.code == 252
    assert door.insert(likes, {"n": list(range(100))}, name="tests.partitions") == 100


def test_execute_can_run_in_another_database(clickhouse: None) -> None:
    name = f"test_{uuid4().hex}"
    door.execute(f"CREATE DATABASE {name}", name="tests.create", database="default")
    try:
        door.execute("CREATE TABLE t (n UInt8) ENGINE = Memory", name="tests.create", database=name)
        there = door.column("SELECT name FROM system.tables WHERE database = {name:String}", {"name": name}, name="x")
        assert there == ["t"]
    finally:
        door.execute(f"DROP DATABASE {name}", name="tests.drop")


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    monkeypatch.setattr(door, "_tracer", provider.get_tracer("test"))
    yield memory
    provider.shutdown()


def test_each_call_has_a_span_and_the_server_knows_its_name_and_trace(
    clickhouse: None, spans: InMemorySpanExporter
) -> None:
    name = f"tests.{uuid4().hex}"
    door.scalar("SELECT {did:String}", {"did": "did:plc:viewer"}, name=name)
    (span,) = spans.get_finished_spans()
    assert span.name == "clickhouse.query"
    assert dict(span.attributes or {}) == {"db.system.name": "clickhouse", "db.query.summary": name}
    assert logged(name) == [f"{name} trace={trace.format_trace_id(span.context.trace_id)}  10 2"]


def test_the_span_of_a_refused_call_says_the_code_and_not_the_value(
    clickhouse: None, spans: InMemorySpanExporter
) -> None:
    with pytest.raises(BadContent) as refusal:
        door.scalar("SELECT {n:UInt8}", {"n": "did:plc:viewer"}, name="tests.refused")
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["db.response.status_code"] == "457"
    assert "did:plc:viewer" not in span.to_json()
    assert "did:plc:viewer" not in str(refusal.value)
    assert "did:plc:viewer" not in str(refusal.value.__cause__)


def test_calls_and_errors_are_counted_by_name(clickhouse: None) -> None:
    name = f"tests.{uuid4().hex}"
    door.scalar("SELECT 1", name=name)
    with pytest.raises(SchemaMismatch):
        door.scalar("SELECT nothing", name=name)
    assert REGISTRY.get_sample_value("clickhouse_query_seconds_count", {"name": name}) == 2
    assert REGISTRY.get_sample_value("clickhouse_query_errors_total", {"name": name, "code": "47"}) == 1


async def test_coroutines_ask_through_threads(clickhouse: None) -> None:
    asked = (asyncio.to_thread(door.scalar, "SELECT {n:UInt8}", {"n": n}, name="tests.async") for n in range(40))
    assert await asyncio.gather(*asked) == list(range(40))


def test_ping_answers(clickhouse: None) -> None:
    door.ping()


def test_the_driver_makes_no_table_of_all_dates() -> None:
    assert len(DateColumn.date_lut) < 10_000
