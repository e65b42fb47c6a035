"""Every value arrives as it was sent: parameters come from strangers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import BadContent
from atsite.core.clickhouse.parameters import prepared, texts

pytestmark = pytest.mark.usefixtures("clickhouse_once")

NASTY = [
    "",
    "'",
    "''",
    "\\",
    "\\'",
    "\\\\'",
    "\n\r\t\0\b\f\a\v",
    "NULL",
    "\\N",
    "é東京🙂",
    "{did:String}",
    "%(x)s",
    "%s",
]
TEXT = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"])))


@pytest.fixture(scope="module")
def clickhouse_once(django_db_setup: None) -> None:
    """A server; hypothesis wants nothing that is made again for each test."""


def echoed(type_: str, value: object) -> Any:
    return door.scalar(f"SELECT {{x:{type_}}}", {"x": value}, name="tests.echo")


@given(TEXT)
@settings(max_examples=150, deadline=None)
def test_a_text_arrives(value: str) -> None:
    assert echoed("String", value) == value


@given(st.lists(TEXT))
@settings(max_examples=150, deadline=None)
def test_a_list_of_texts_arrives(value: list[str]) -> None:
    assert echoed("Array(String)", value) == value


PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(st.lists(PLAIN | st.sampled_from(["did:plc:aaaa", "a'b", "a\\b", "3laaaaaaaaaa2"])))
@settings(max_examples=150, deadline=None)
def test_a_list_or_set_of_plain_texts_arrives_in_its_own_way(value: list[str]) -> None:
    assert echoed("Array(String)", value) == value
    assert echoed("Array(String)", set(value)) == sorted(set(value))
    assert echoed("Array(Array(String))", [value, []]) == [value, []]


@given(st.lists(st.tuples(TEXT, st.integers(0, 2**64 - 1)), min_size=1))
@settings(max_examples=50, deadline=None)
def test_a_list_of_pairs_arrives(value: list[tuple[str, int]]) -> None:
    assert echoed("Array(Tuple(String, UInt64))", value) == value


@given(st.integers(0, 2**64 - 1), st.integers(-(2**63), 2**63 - 1))
@settings(max_examples=50, deadline=None)
def test_whole_numbers_arrive(unsigned: int, signed: int) -> None:
    assert (echoed("UInt64", unsigned), echoed("Int64", signed)) == (unsigned, signed)


@given(st.floats(allow_nan=False))
@settings(max_examples=50, deadline=None)
def test_a_float_arrives(value: float) -> None:
    assert echoed("Float64", value) == value


@given(
    st.datetimes(
        datetime.fromisoformat("1970-01-01"),
        datetime.fromisoformat("2200-01-01"),
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
    )
)
@settings(max_examples=50, deadline=None)
def test_a_moment_arrives_to_the_microsecond(value: datetime) -> None:
    assert echoed("DateTime64(6, 'UTC')", value) == value


def test_the_other_forms_arrive() -> None:
    class Kind(StrEnum):
        LIKE = "like"

    assert echoed("DateTime('UTC')", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == datetime(
        2026, 1, 2, 3, 4, 5, tzinfo=UTC
    )
    assert echoed("Date", date(2026, 1, 2)) == date(2026, 1, 2)
    assert echoed("UUID", UUID(int=7)) == UUID(int=7)
    assert echoed("Bool", True) is True
    assert echoed("String", Kind.LIKE) == "like"
    assert echoed("Array(String)", frozenset({"b", "a'"})) == ["a'", "b"]
    assert echoed("Array(UInt8)", []) == []
    assert echoed("Array(Array(String))", [["a'", "\\"], []]) == [["a'", "\\"], []]


def test_a_value_never_becomes_part_of_the_statement() -> None:
    assert echoed("String", "' UNION ALL SELECT 'x") == "' UNION ALL SELECT 'x"
    with pytest.raises(BadContent):
        echoed("UInt64", "1 OR 1")


@pytest.mark.parametrize(
    "value",
    [datetime.fromisoformat("2026-01-01"), b"x", None, {"a": 1}, object()],
    ids=["naive", "bytes", "none", "dict", "object"],
)
def test_what_has_no_exact_form_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError):
        prepared({"x": value})


def test_a_lone_surrogate_fails_before_anything_is_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        echoed("String", "\ud800")


def test_texts_finds_every_text_of_a_plain_list() -> None:
    assert texts(prepared({"dids": {"did:plc:bob", "did:plc:alice"}})) == ["did:plc:alice", "did:plc:bob"]
    assert "alice" not in repr(prepared({"dids": ["did:plc:alice"]}))


def test_texts_finds_every_text_that_could_name_somebody() -> None:
    assert texts({"a": "did:plc:a", "b": ["did:web:abc", 3], "c": ("x", frozenset({"long"}))}) == [
        "did:web:abc",
        "did:plc:a",
        "long",
    ]
