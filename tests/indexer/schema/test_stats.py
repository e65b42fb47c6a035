"""Totals and days, against a count in Python over the same events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from indexer.index import stats
from indexer.index.stats import Day, Totals
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    DAN,
    FOLLOW,
    LIKE,
    POST,
    REPOST,
    Record,
    block,
    delete,
    follow,
    like,
    post,
    profile,
    recreate,
    repost,
    store,
)  # fmt: skip

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
NOTHING = Day(MONDAY, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def three_days() -> list[Record]:
    """Monday and Tuesday are busy; on Wednesday something of both is taken back."""
    cat = post(ALICE, at=at(MONDAY, 8), text="a cat", images=("a cat", "", "another"))
    dog = post(ALICE, at=at(MONDAY, 9), text="a dog", images=("",))
    words = post(BOB, at=at(TUESDAY, 0), text="words")
    gone = post(CAROL, at=at(MONDAY, 10), text="gone", images=("gone",))
    followed = follow(BOB, ALICE, at=at(MONDAY, 11))
    back = follow(CAROL, ALICE, at=at(MONDAY, 11))
    blocked = block(ALICE, DAN, at=at(TUESDAY, 11))
    unliked = like(DAN, cat, at=at(TUESDAY, 12))
    return [
        profile(ALICE, at=at(MONDAY, 7), name="Alice"), cat, dog, words, gone, followed, back, blocked, unliked,
        follow(DAN, ALICE, at=at(MONDAY, 12)),
        like(BOB, cat, at=at(MONDAY, 12)), like(BOB, cat, at=at(MONDAY, 13)), like(CAROL, cat, at=at(MONDAY, 12)),
        like(CAROL, words, at=at(TUESDAY, 12)),
        repost(DAN, cat, at=at(TUESDAY, 12)),
        delete(gone, at=at(WEDNESDAY, 1)),
        delete(followed, at=at(WEDNESDAY, 1)),
        delete(back, at=at(TUESDAY, 1)), recreate(back, at=at(TUESDAY, 2)),
        delete(unliked, at=at(WEDNESDAY, 1)),
    ]  # fmt: skip


def nowhere() -> list[Record]:
    """Rows that belong to no day: rkeys that are no TIDs or ahead of their rev, imports, back-filled records."""
    named = post(DAN, at=at(MONDAY, 8), text="named", rkey="my-first-post")
    ahead = post(DAN, at=at(WEDNESDAY, 8), text="ahead", rev_at=at(MONDAY, 8))
    imported = post(DAN, at=at(MONDAY, 8), text="imported", created_at="2020-01-01T00:00:00Z")
    backfilled = [
        post(DAN, at=at(MONDAY, 8), text="found later", source="backfill"),
        like(DAN, named, at=at(MONDAY, 8), source="backfill"),
        repost(DAN, named, at=at(MONDAY, 8), source="backfill"),
        follow(DAN, BOB, at=at(MONDAY, 8), source="backfill"),
        block(DAN, BOB, at=at(MONDAY, 8), source="backfill"),
    ]
    return [named, ahead, imported, like(DAN, named, at=at(MONDAY, 8), rkey="self"), *backfilled]


EXPECTED = [
    replace(
        NOTHING,
        posts=2, posts_with_images=2, images=4, images_with_alt=2, likes=3, follows=1,
        post_actors=2, like_actors=2, follow_actors=3, actors=4,
    ),
    replace(
        NOTHING, day=TUESDAY, posts=1, likes=1, reposts=1, follows=1, blocks=1,
        post_actors=1, like_actors=2, repost_actors=1, follow_actors=1, block_actors=1, actors=4,
    ),
    replace(NOTHING, day=WEDNESDAY),
]  # fmt: skip


def test_days_count_what_lives_on_the_day_of_its_key(clickhouse: None) -> None:
    store(*three_days())
    assert stats.rewrite_daily_stats(now=datetime.now(UTC)) == EXPECTED
    assert stats.daily(MONDAY, WEDNESDAY + timedelta(days=1)) == EXPECTED
    assert stats.daily(TUESDAY, WEDNESDAY) == EXPECTED[1:2]


def test_redelivery_of_everything_changes_no_number(clickhouse: None) -> None:
    store(*three_days())
    before = stats.totals(), stats.rewrite_daily_stats(now=datetime.now(UTC))
    for seconds in (0, 5):
        store(*[replace(record, time_us=record.time_us + seconds * 1_000_000) for record in reversed(three_days())])
    assert (stats.totals(), stats.rewrite_daily_stats(now=datetime.now(UTC))) == before
    assert stats.daily(MONDAY, WEDNESDAY + timedelta(days=1)) == EXPECTED


def test_rows_without_a_day_count_in_totals_and_are_said(clickhouse: None) -> None:
    for _ in range(2):  # delivered twice, and not merged
        store(*nowhere())
    assert stats.totals() == Totals(
        posts=4,
        posts_without_day=3,
        likes=2,
        likes_without_day=1,
        reposts=1,
        reposts_without_day=0,
        follows=1,
        blocks=1,
    )
    created = replace(NOTHING, post_actors=1, like_actors=1, actors=1)
    assert stats.rewrite_days([MONDAY, WEDNESDAY], now=datetime.now(UTC)) == [created, replace(NOTHING, day=WEDNESDAY)]


def test_totals_count_neither_what_was_deleted_nor_old_versions(clickhouse: None) -> None:
    written = post(ALICE, at=at(MONDAY, 8))
    records = [
        written,
        *(make(BOB, written, at=at(MONDAY, 9)) for make in (like, repost)),
        *(make(BOB, CAROL, at=at(MONDAY, 9)) for make in (follow, block)),
    ]
    for _ in range(2):  # each a part of its own
        store(*records)
    assert stats.totals() == Totals(1, 0, 1, 0, 1, 0, 1, 1)
    store(*(delete(record, at=at(MONDAY, 20)) for record in records))
    assert stats.totals() == Totals(0, 0, 0, 0, 0, 0, 0, 0)


def test_a_delete_after_the_rewrite_lowers_the_day(clickhouse: None) -> None:
    written = post(ALICE, at=at(MONDAY, 8))
    store(written)
    assert [day.posts for day in stats.rewrite_daily_stats(now=datetime.now(UTC))] == [1]
    store(delete(written, at=at(MONDAY, 20)))
    stats.rewrite_daily_stats(now=datetime.now(UTC))
    assert stats.daily(MONDAY, TUESDAY) == [replace(NOTHING, post_actors=1, actors=1)]
    assert stats.totals().posts == 0


def test_only_days_touched_by_recent_arrivals_are_rewritten(clickhouse: None) -> None:
    store(*three_days())
    assert stats.rewrite_daily_stats(now=datetime.now(UTC) + timedelta(days=8)) == []
    assert [day.day for day in stats.rewrite_daily_stats(now=datetime.now(UTC) + timedelta(days=6))] == [
        MONDAY,
        TUESDAY,
        WEDNESDAY,
    ]


def test_a_day_of_backfilled_rows_alone_is_not_rewritten(clickhouse: None) -> None:
    store(post(ALICE, at=at(MONDAY, 8)), post(ALICE, at=at(TUESDAY, 8), source="backfill"))
    assert [day.day for day in stats.rewrite_daily_stats(now=datetime.now(UTC))] == [MONDAY]


def test_days_far_apart_are_computed_each_for_itself(clickhouse: None) -> None:
    days = [date(2025, 1, 1), date(2025, 1, 2), date(2026, 1, 1)]
    store(*[post(ALICE, at=at(day, hour), text=str(hour)) for day in days for hour in range(day.day)])
    assert [(row.day, row.posts) for row in stats.rewrite_days(days, now=datetime.now(UTC))] == [
        (day, day.day) for day in days
    ]
    assert stats.rewrite_days([], now=datetime.now(UTC)) == []


@pytest.mark.parametrize("collection", [POST, LIKE, REPOST, FOLLOW])
def test_the_ends_of_a_day_belong_to_it_and_to_the_next(clickhouse: None, collection: str) -> None:
    def make(did: Did, moment: datetime) -> Record:
        return {
            POST: post(did, at=moment),
            LIKE: like(did, "at://did:plc:dan/app.bsky.feed.post/x", at=moment),
            REPOST: repost(did, "at://did:plc:dan/app.bsky.feed.post/x", at=moment),
            FOLLOW: follow(did, DAN, at=moment),
        }[collection]

    midnight = at(TUESDAY, 0)
    store(make(ALICE, midnight - timedelta(microseconds=1)), make(BOB, midnight))
    name = {POST: "posts", LIKE: "likes", REPOST: "reposts", FOLLOW: "follows"}[collection]
    rows = stats.rewrite_days([MONDAY, TUESDAY], now=datetime.now(UTC))
    assert [getattr(row, name) for row in rows] == [1, 1]
