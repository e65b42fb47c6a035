"""Cursors come back as they went out, and nothing else is a cursor."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsite.core import cursor_format
from atsite.core.cursor_format import InvalidCursor

PARTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.lists(PARTS, max_size=5))
def test_a_cursor_comes_back_as_it_went_out(parts: list[str | int | float]) -> None:
    text = cursor_format.encode("list", *parts)

    assert cursor_format.decode("list", text, *map(type, parts)) == tuple(parts)


def test_a_cursor_is_safe_in_an_address() -> None:
    assert cursor_format.encode("list", "3k?>", 7) == "WzEsImxpc3QiLCIzaz8-Iiw3XQ"


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: urlsafe_b64encode(raw).decode().rstrip("=")))
def test_whatever_was_not_given_out_is_refused_or_is_canonical(text: str) -> None:
    try:
        parts = cursor_format.decode("list", text, str)
    except InvalidCursor:
        return
    assert cursor_format.encode("list", *parts) == text


def _cursor(array: str) -> str:
    return urlsafe_b64encode(array.encode("utf-8", "surrogatepass")).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eof",
        "A" * (cursor_format.CURSOR_MAX + 1),
        _cursor('[1,"list","a"]') + "=",
        _cursor('[1, "list","a"]'),
        _cursor('[2,"list","a"]'),
        _cursor('[1,"other","a"]'),
        _cursor('[1,"list"]'),
        _cursor('[1,"list","a","b"]'),
        _cursor('[1,"list",1]'),
        _cursor('[1,"list",null]'),
        _cursor('[true,"list","a"]'),
        _cursor('[1,"list","\\ud800"]'),
        _cursor('[1,"list","\ud800"]'),
        _cursor('{"1":"list"}'),
        _cursor("[" * 3_000),
        _cursor("9" * 3_000),
    ],
)
def test_a_changed_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        cursor_format.decode("list", text, str)


@pytest.mark.parametrize("number", ["9223372036854775808", "1e999", "NaN", "true", "1.0"])
def test_a_number_out_of_its_range_or_type_is_refused(number: str) -> None:
    with pytest.raises(InvalidCursor):
        cursor_format.decode("list", _cursor(f'[1,"list",{number}]'), int)
