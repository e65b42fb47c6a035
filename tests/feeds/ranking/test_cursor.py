"""Cursors: what is given out can be read, and nothing else can."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsite.core import cursor_format
from atsite.core.atproto.tid import ALPHABET, MICROS_MAX, TID_MAX, int_to_tid
from feeds.ranking import cursor
from feeds.ranking.cursor import Computed, Cursor, InvalidCursor, Listed, Newest, Ranked

RKEYS = st.from_regex(r"[A-Za-z0-9_~:-]{1,512}", fullmatch=True)
DIDS = st.from_regex(r"did:(plc:[a-z2-7]{24}|web:[a-z0-9.-]{1,60}[a-z0-9])", fullmatch=True)
TIDS = st.integers(0, TID_MAX).map(int_to_tid)
SCORES = st.floats(allow_nan=False, allow_infinity=False)
CURSORS: st.SearchStrategy[Cursor] = st.one_of(
    st.builds(Ranked, TIDS, st.integers(1, cursor.POSITION_MAX)),
    st.builds(Computed, st.integers(0, MICROS_MAX), SCORES, RKEYS, DIDS),
    st.builds(Newest, RKEYS, DIDS),
    st.builds(Listed, st.integers(1, cursor.POSITION_MAX), RKEYS, DIDS),
)
DID = "did:plc:" + "a" * 24


@given(CURSORS)
def test_a_cursor_survives_the_way_through_a_client(given_out: Cursor) -> None:
    text = cursor.encode(given_out)
    assert cursor.decode(text) == given_out
    assert len(text) <= cursor_format.CURSOR_MAX


@given(st.one_of(st.text(max_size=300), st.text(ALPHABET, max_size=300)))
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        cursor.decode(text)


@given(st.binary(max_size=200))
def test_garbage_in_base64_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidCursor):
        cursor.decode(urlsafe_b64encode(content).decode().rstrip("="))


@given(CURSORS, st.data())
def test_a_cursor_that_was_changed_is_refused_or_is_another_whole_cursor(
    given_out: Cursor, data: st.DataObject
) -> None:
    text = cursor.encode(given_out)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from("Aa0_-=+ ")) + text[at + 1 :]
    try:
        read = cursor.decode(changed)
    except InvalidCursor:
        return
    assert cursor.encode(read) == changed


@pytest.mark.parametrize(
    "text",
    [
        cursor_format.encode("ranked", "3laaaaaaaaaa2", 0),  # a first page needs no cursor
        cursor_format.encode("ranked", "3laaaaaaaaaa2", -1),
        cursor_format.encode("ranked", "3laaaaaaaaaa2", cursor.POSITION_MAX + 1),
        cursor_format.encode("ranked", "no tid", 1),
        cursor_format.encode("ranked", "3laaaaaaaaaa2", "1"),
        cursor_format.encode("ranked", "3laaaaaaaaaa2", 1, 1),
        cursor_format.encode("listed", 0, "3laaaaaaaaaa2", DID),
        cursor_format.encode("listed", 1, "a/b", DID),
        cursor_format.encode("listed", 1, "3laaaaaaaaaa2", "alice.test"),
        cursor_format.encode("computed", -1, 1.0, "3laaaaaaaaaa2", DID),
        cursor_format.encode("computed", MICROS_MAX + 1, 1.0, "3laaaaaaaaaa2", DID),
        cursor_format.encode("computed", 1, 1, "3laaaaaaaaaa2", DID),  # a score is a float
        cursor_format.encode("computed", 1, 1.0, "..", DID),
        cursor_format.encode("computed", 1, 1.0, "3laaaaaaaaaa2", "alice.example.com"),
        cursor_format.encode("newest", "a/b", DID),
        cursor_format.encode("newest", "3laaaaaaaaaa2", "did"),
        cursor_format.encode("search", "3laaaaaaaaaa2", DID),
        "",
        "eof",
        "50",
        "A" * 5000,
    ],
)
def test_what_no_feed_gave_out_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        cursor.decode(text)
