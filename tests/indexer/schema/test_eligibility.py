"""Which posts may stand in a newest-first list, and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from atsite.core.atproto.timestamps import datetime_of_micros
from tests.builders import ALICE, BOB, Record, ago, delete, like, micros, post, store, update
from tests.indexer.schema import tables

SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000


def written_at(at: int, *, rev_after: int = 0, created_before: int = 0) -> Record:
    """A post whose rev is that much after, and whose createdAt that much before, the time of its rkey (µs)."""
    return post(ALICE, at=at, rev_at=at + rev_after, created_at=datetime_of_micros(at - created_before))


@pytest.mark.parametrize(
    ("change", "eligible"),
    [
        ({}, 1),
        ({"rev_after": -120 * SECOND}, 1),
        ({"rev_after": -120 * SECOND - 1}, 0),
        ({"rev_after": 400 * 24 * HOUR}, 1),
        ({"created_before": 24 * HOUR}, 1),
        ({"created_before": 24 * HOUR + SECOND}, 0),
        ({"created_before": -400 * 24 * HOUR}, 1),
    ],
)
def test_an_rkey_ahead_of_its_rev_or_long_after_createdat_is_not_eligible(
    clickhouse: None, change: dict[str, int], eligible: int
) -> None:
    store(written_at(1_790_000_000_000_000, **change))
    assert tables.rows("SELECT eligible FROM posts", "eligible") == [{"eligible": eligible}]


@pytest.mark.parametrize("rkey", ["self", "zzzzzzzzzzzzz", "3lxyzabcdefg1", "3LXYZABCDEFGH", "2" * 14, "k" * 13])
def test_an_rkey_that_is_no_tid_is_not_eligible(clickhouse: None, rkey: str) -> None:
    hello = post(ALICE, at=ago(hours=1), rkey=rkey)
    store(hello, like(BOB, hello, at=ago(minutes=5), rkey=rkey))
    assert tables.rows("SELECT eligible FROM posts", "eligible") == [{"eligible": 0}]
    assert tables.rows("SELECT eligible FROM likes", "eligible") == [{"eligible": 0}]
    assert tables.rows("SELECT rkey FROM recent_posts", "rkey") == []


OF_2015 = (
    "2015-01-01T00:00:00Z",
    "2015-01-01t00:00:00z",
    "2015-01-01T00:00:00.12345678901234567890Z",
    "Thu Jan 01 2015 00:00:00 GMT+0000 (Coordinated Universal Time)",
)


@pytest.mark.parametrize("created_at", [*OF_2015, "", "yesterday", "now", "12:30", "2", "0000-01-01T00:00:00Z"])
def test_a_post_whose_createdat_is_old_or_cannot_be_read_is_not_fresh(clickhouse: None, created_at: str) -> None:
    store(post(ALICE, at=ago(hours=1), created_at=created_at))
    assert tables.rows("SELECT eligible FROM posts", "eligible") == [{"eligible": 0}]
    assert tables.rows("SELECT rkey FROM recent_posts", "rkey") == []


@pytest.mark.parametrize("value", [None, 1_790_000_000, True, {"year": 2026}, ["2026-01-01T00:00:00Z"]])
def test_a_post_without_createdat_or_with_something_else_there_is_not_fresh(clickhouse: None, value: object) -> None:
    written = post(ALICE, at=ago(hours=1))
    body = {name: field for name, field in (written.record or {}).items() if name != "createdAt"}
    store(replace(written, record=body if value is None else body | {"createdAt": value}))
    assert tables.rows("SELECT created_at, eligible FROM posts", "created", "eligible") == [
        {"created": None, "eligible": 0}
    ]


@pytest.mark.parametrize(
    "form", ["%Y-%m-%dt%H:%M:%Sz", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.0123456789012345678901+0000"]
)
def test_a_fresh_post_with_an_oddly_written_date_is_fresh(clickhouse: None, form: str) -> None:
    store(post(ALICE, at=ago(hours=1), created_at=ago(hours=1).strftime(form)))
    assert tables.rows("SELECT eligible FROM posts", "eligible") == [{"eligible": 1}]


@pytest.mark.parametrize(
    ("rev_after", "created_before", "expected"),
    [(HOUR, 0, 0), (HOUR, HOUR, -HOUR), (HOUR, -HOUR, 0), (-MINUTE, 0, -MINUTE), (-MINUTE, 2 * MINUTE, -2 * MINUTE)],
)
def test_sort_at_is_the_earliest_of_createdat_rkey_and_rev(
    clickhouse: None, rev_after: int, created_before: int, expected: int
) -> None:
    at = 1_790_000_000_000_000
    store(written_at(at, rev_after=rev_after, created_before=created_before))
    assert tables.rows("SELECT sort_at FROM posts", "sort_at") == [
        {"sort_at": datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at + expected)}
    ]


@pytest.mark.parametrize(("rkey", "created_at"), [("self", ""), ("self", "3024-01-01T00:00:00Z"), ("j" * 13, "")])
def test_sort_at_is_the_revs_time_where_nothing_else_is_earlier(clickhouse: None, rkey: str, created_at: str) -> None:
    at = 1_790_000_000_000_000
    store(post(ALICE, at=at, rkey=rkey, created_at=created_at))
    assert tables.rows("SELECT sort_at FROM posts", "sort_at") == [
        {"sort_at": datetime.fromtimestamp(at // SECOND, UTC)}
    ]


def test_recent_posts_are_the_eligible_live_ones_of_72_hours(clickhouse: None) -> None:
    now = micros(ago())
    oldest, newest, ahead = (
        post(ALICE, at=now - 72 * HOUR + MINUTE, text="oldest"),
        post(BOB, at=now - MINUTE, text="newest"),
        post(BOB, at=now + MINUTE, text="a clock that runs ahead"),
    )
    edited = post(ALICE, at=now - 2 * HOUR, text="first")
    deleted = post(ALICE, at=now - 3 * HOUR, text="deleted")
    store(
        oldest, newest, ahead, edited, deleted,
        update(edited, at=now - HOUR, text="second"),
        delete(deleted, at=now - HOUR),
        post(ALICE, at=now - 73 * HOUR, text="too old"),
        post(ALICE, at=now + 10 * MINUTE, text="far ahead", rev_at=now),
        post(ALICE, at=now - HOUR, text="an import", created_at=datetime_of_micros(now - 26 * HOUR)),
        post(ALICE, at=now - HOUR, text="a name for a key", rkey="self"),
    )  # fmt: skip
    sql = "SELECT uri, text, posted_at FROM recent_posts ORDER BY rkey DESC, did DESC"
    assert tables.rows(sql, "uri", "text", "posted_at") == [
        {
            "uri": record.uri,
            "text": text,
            "posted_at": datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at),
        }
        for record, text, at in (
            (ahead, "a clock that runs ahead", now + MINUTE),
            (newest, "newest", now - MINUTE),
            (edited, "second", now - 2 * HOUR),
            (oldest, "oldest", now - 72 * HOUR + MINUTE),
        )
    ]


def test_posts_of_one_moment_are_ordered_by_did(clickhouse: None) -> None:
    at = micros(ago(hours=1))
    rkey = post(ALICE, at=at).rkey
    store(post(ALICE, at=at, rkey=rkey), post(BOB, at=at, rkey=rkey))
    assert tables.rows("SELECT did FROM recent_posts ORDER BY rkey DESC, did DESC", "did") == [
        {"did": BOB},
        {"did": ALICE},
    ]
