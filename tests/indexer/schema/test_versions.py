"""Which row of a record wins: versions, tombstones, replays in any order."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from atsite.core.clickhouse import door
from tests.builders import (
    ALICE,
    BLOCK,
    BOB,
    CAROL,
    DAN,
    FOLLOW,
    LIKE,
    POST,
    PROFILE,
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
    update,
)  # fmt: skip
from tests.indexer.schema import fold, tables

#: A fixed day, so that every run sees the same rows.
NOON = 1_790_000_000_000_000
HOUR = 3_600_000_000

COLLECTIONS = (POST, LIKE, REPOST, FOLLOW, BLOCK, PROFILE)


def a_story() -> list[Record]:
    """Creates, edits, deletes and re-creates of every collection, in the order in which they happened."""
    hello = post(ALICE, at=NOON, text="hello", langs=("en",), tags=("News",), images=("a cat", ""))
    answer = post(BOB, at=NOON + 1 * HOUR, text="answer", reply_to=hello)
    quote = post(CAROL, at=NOON + 2 * HOUR, text="look", quote=hello, images=("",))
    video = post(DAN, at=NOON + 2 * HOUR, text="see", video=True, mentions=(ALICE,), labels=("porn",))
    first, second = (like(BOB, hello, at=NOON + hours * HOUR) for hours in (3, 4))
    liked = [like(did, subject, at=NOON + 5 * HOUR) for did in (CAROL, DAN) for subject in (hello, answer, quote)]
    shared = [repost(did, hello, at=NOON + 5 * HOUR) for did in (BOB, CAROL, DAN)]
    followed = [follow(did, ALICE, at=NOON + 5 * HOUR) for did in (BOB, CAROL, DAN)]
    blocked = [block(ALICE, did, at=NOON + 6 * HOUR) for did in (BOB, DAN)]
    me = profile(ALICE, at=NOON, name="Alice", description="hi", avatar="bafyavatar")
    return [
        me, hello, answer, quote, video, first, second, *liked, *shared, *followed, *blocked,
        update(hello, at=NOON + 7 * HOUR, text="hello again"),
        update(quote, at=NOON + 7 * HOUR, embed=None),
        update(liked[0], at=NOON + 7 * HOUR, subject={"uri": answer.uri, "cid": answer.cid}),
        delete(first, at=NOON + 8 * HOUR),
        delete(answer, at=NOON + 8 * HOUR),
        delete(shared[0], at=NOON + 8 * HOUR),
        delete(followed[0], at=NOON + 8 * HOUR),
        delete(blocked[0], at=NOON + 8 * HOUR),
        recreate(shared[0], at=NOON + 9 * HOUR),
        recreate(answer, at=NOON + 9 * HOUR, text="answer, again"),
        delete(like(ALICE, hello, at=NOON), at=NOON + 9 * HOUR),  # of a like that nobody saw
        delete(me, at=NOON + 9 * HOUR),
        profile(BOB, at=NOON, name="Bob"),
    ]  # fmt: skip


def assert_the_tables_are_the_fold_of(records: list[Record]) -> None:
    for collection in COLLECTIONS:
        assert tables.table(collection) == fold.table(records, collection)
    by_actor = tables.rows(
        "SELECT did, rkey, is_reply, deleted FROM posts_by_actor FINAL", "did", "rkey", "reply", "deleted"
    )
    assert {(row["did"], row["rkey"]): (row["reply"], row["deleted"]) for row in by_actor} == {
        key: (int(row["parent_uri"] != ""), row["deleted"]) for key, row in fold.table(records, POST).items()
    }
    posts = fold.live(records, POST).items()
    for kind, expected in {
        "like": {uri: len(dids) for uri, dids in fold.actors_by_subject(records, LIKE).items()},
        "repost": {uri: len(dids) for uri, dids in fold.actors_by_subject(records, REPOST).items()},
        "reply": Counter(str(row["parent_uri"]) for _, row in posts if row["parent_uri"]),
        "quote": Counter(str(row["quote_uri"]) for _, row in posts if row["quote_uri"]),
    }.items():
        assert tables.counts(kind) == expected, kind
    assert tables.followers() == {did: len(dids) for did, dids in fold.actors_by_subject(records, FOLLOW).items()}


def test_the_tables_are_the_fold_of_the_events(clickhouse: None) -> None:
    store(*a_story())
    assert_the_tables_are_the_fold_of(a_story())


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_arrival_ends_in_the_same_rows(clickhouse: None, seed: int) -> None:
    shuffled = a_story()
    random.Random(seed).shuffle(shuffled)
    for start in range(0, len(shuffled), 4):
        store(*shuffled[start : start + 4])
    assert_the_tables_are_the_fold_of(a_story())


def test_a_replay_from_a_host_with_other_times_changes_only_time_us(clickhouse: None) -> None:
    store(*a_story())
    before = {collection: tables.table(collection) for collection in COLLECTIONS}
    for seconds in (5, -5):
        store(*[replace(record, time_us=record.time_us + seconds * 1_000_000) for record in reversed(a_story())])
    assert {collection: tables.table(collection) for collection in COLLECTIONS} == before
    assert_the_tables_are_the_fold_of(a_story())


def test_merges_keep_what_final_shows(clickhouse: None) -> None:
    for start in range(0, len(a_story()), 4):
        store(*a_story()[start : start + 4])
    for name in (*tables.TABLES.values(), "posts_by_actor", "engagement", "followers", "retractions"):
        door.execute(f"OPTIMIZE TABLE {name} FINAL", name="tests.optimize")
    store(*a_story()[:10])
    assert_the_tables_are_the_fold_of(a_story())


def test_an_older_create_does_not_bring_a_deleted_record_back(clickhouse: None) -> None:
    written = post(ALICE, at=NOON, text="gone")
    store(delete(written, at=NOON + HOUR))
    store(written)
    assert fold.live([written], POST) != {}
    assert [row["deleted"] for row in tables.table(POST).values()] == [1]


def test_of_equal_versions_the_row_inserted_last_stands(clickhouse: None) -> None:
    written = post(ALICE, at=NOON, text="one")
    store(written)
    store(replace(written, time_us=written.time_us + 7))
    assert tables.rows("SELECT time_us FROM posts FINAL", "time_us") == [{"time_us": written.time_us + 7}]


def test_an_edited_post_is_not_found_by_its_old_words(clickhouse: None) -> None:
    written = post(ALICE, at=NOON, text="umbrella")
    store(written)
    store(update(written, at=NOON + HOUR, text="sunshade"))
    sql = "SELECT rkey FROM posts FINAL WHERE hasAllTokens(text, {word:String}) AND deleted = 0"
    assert tables.rows(sql, "rkey", word="umbrella") == []
    assert tables.rows(sql, "rkey", word="sunshade") == [{"rkey": written.rkey}]


def test_foreign_collections_are_stored_raw_and_derived_nowhere(clickhouse: None) -> None:
    written = replace(post(ALICE, at=NOON, text="x"), collection="com.example.thing")
    store(written)
    assert tables.rows("SELECT collection FROM repo_records", "name") == [{"name": "com.example.thing"}]
    assert all(tables.table(collection) == {} for collection in COLLECTIONS)


def test_recorded_data_outlives_its_insert(clickhouse: None) -> None:
    years_ago = post(ALICE, at=1_700_000_000_000_000, text="old")
    store(years_ago)
    door.execute("OPTIMIZE TABLE repo_records FINAL", name="tests.optimize")
    assert tables.rows("SELECT rkey, toString(day) FROM repo_records", "rkey", "day") == [
        {"rkey": years_ago.rkey, "day": "2023-11-14"}
    ]


def test_a_backfill_of_many_years_opens_few_partitions(clickhouse: None) -> None:
    day = 24 * HOUR
    old = [
        replace(post(ALICE, at=NOON - days * day, text="x"), time_us=NOON, source="backfill") for days in range(3, 500)
    ]
    store(*old)
    assert tables.rows("SELECT toString(day), count() FROM repo_records GROUP BY day", "day", "count") == [
        {"day": "2026-09-21", "count": 497}
    ]
