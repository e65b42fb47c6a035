"""Server codes become classes; texts stay short and tell nothing about anybody."""

from __future__ import annotations

import pickle

import pytest
from clickhouse_driver import errors as driver

from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import (
    BY_CODE,
    MAX_TEXT,
    BadContent,
    ClickHouseError,
    MemoryLimit,
    QueryTimedOut,
    Refused,
    SchemaMismatch,
    TooManyParts,
    TooManyQueries,
    Unreachable,
    translated,
)
from atsite.core.clickhouse.limits import Limits


def of(code: int, text: str = "text") -> ClickHouseError:
    error = translated(driver.ServerException(text, code), name="x")
    assert error is not None
    return error


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        (159, QueryTimedOut, False),
        (202, TooManyQueries, True),
        (241, MemoryLimit, True),
        (252, TooManyParts, True),
        (210, Unreachable, True),
        (243, Unreachable, True),
        (60, SchemaMismatch, False),
        (349, BadContent, False),
        (62, Refused, False),
        (99_999, Refused, False),
    ],
)
def test_a_code_decides_class_and_whether_trying_again_may_help(
    code: int, kind: type[ClickHouseError], retryable: bool
) -> None:
    error = of(code)
    assert (type(error), error.code, error.retryable, error.name) == (kind, code, retryable, "x")


def test_every_code_of_the_table_is_one_the_server_knows(clickhouse: None) -> None:
    names = {
        code: door.scalar("SELECT errorCodeToName({c:Int32})", {"c": code}, name="tests.codes") for code in BY_CODE
    }
    assert [code for code, name in names.items() if not name] == []


def test_the_text_is_cut_before_the_stack_trace_bounded_and_without_values() -> None:
    original = driver.ServerException("DB::Exception: Bad did:plc:viewer here. Stack trace:\n0. at x", 117)
    error = translated(original, name="feeds.page", values=["did:plc:viewer"])
    assert str(error) == "feeds.page: Bad … here. (code 117)"
    assert str(original) == "Code: 117.\nBad … here."
    assert len(str(of(117, "x" * 10_000))) < MAX_TEXT + 30


def test_lost_connections_are_unreachable_and_other_errors_stay_what_they_are() -> None:
    for error in (
        EOFError(),
        ConnectionResetError("reset"),
        driver.NetworkError("refused"),
        driver.SocketTimeoutError("slow"),
    ):
        assert type(translated(error, name="x")) is Unreachable
    assert translated(KeyError("x"), name="x") is None


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(of(252)))
    assert (type(error), error.code, error.name, str(error)) == (TooManyParts, 252, "x", "x: text (code 252)")


def test_a_query_over_its_time_is_stopped_by_the_server(clickhouse: None) -> None:
    with pytest.raises(QueryTimedOut):
        door.scalar("SELECT count() FROM system.numbers", name="tests.slow", limits=Limits(1, 100_000_000))


def test_a_query_over_its_memory_is_stopped_by_the_server(clickhouse: None) -> None:
    with pytest.raises(MemoryLimit):
        door.scalar(
            "SELECT length(groupArray(number)) FROM numbers(10000000)",
            name="tests.large",
            limits=Limits(10, 10_000_000),
        )


def test_a_query_over_its_rows_is_refused_by_the_server(clickhouse: None) -> None:
    limits = Limits(10, 100_000_000, max_rows_to_read=1000)
    with pytest.raises(Refused) as refusal:
        door.scalar("SELECT sum(number) FROM numbers(100000)", name="tests.rows", limits=limits)
    assert refusal.value.code == 158
