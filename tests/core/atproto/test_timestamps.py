from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsite.core.atproto.timestamps import datetime_of_micros, is_datetime, micros_of_datetime
from atsite.core.errors import InvalidSyntax


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00.000001+01:00", 1),
        ("1969-12-31T23:59:59.9999999Z", -1),
        ("2026-05-25T14:23:28.778Z", 1_779_719_008_778_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
        ("0000-02-29T00:00:00Z", -62_162_121_600_000_000),
        ("9999-12-31T23:59:59-12:00", 253_402_343_999_000_000),
    ],
)
def test_a_datetime_is_microseconds_since_1970(text: str, micros: int) -> None:
    assert micros_of_datetime(text) == micros


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:00-00:00",
        "0000-01-01T00:00:00+00:01",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidSyntax, match="not a valid datetime"):
        micros_of_datetime(text)


# Whole milliseconds of the years 1 to 9999.
@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_milliseconds_survive_their_text(millis: int) -> None:
    text = datetime_of_micros(millis * 1000)
    assert is_datetime(text)
    assert micros_of_datetime(text) == millis * 1000
