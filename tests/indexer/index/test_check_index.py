"""What the views made, compared with what they were made from; and creates over an existing key."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from atsite.core.clickhouse import door
from indexer import tasks
from indexer.index import missing_retractions
from tests import builders as b
from tests.indexer.schema import tables

if TYPE_CHECKING:
    from tests.rows import Record

pytestmark = pytest.mark.usefixtures("clickhouse")
HOUR = timedelta(hours=1)


def created_over(record: Record, *, at: b.Moment, **fields: object) -> Record:
    """A create of the same key, whatever is there, as putRecord of some hosts makes it."""
    return replace(b.update(record, at=at, **fields), operation="create")


def reference(post: Record) -> dict[str, str]:
    return {"uri": post.uri, "cid": post.cid}


def check(*arguments: str) -> list[str]:
    out = io.StringIO()
    try:
        call_command("check_index", *arguments, stdout=out)
    except CommandError as error:
        out.write(f"{error}\n")
    return out.getvalue().splitlines()


ONE, OTHER = (b.post(b.BOB, at=b.ago(days=1, hours=number), text=str(number)) for number in (1, 2))
LIKE, REPOST = b.like(b.ALICE, ONE, at=b.ago(hours=9)), b.repost(b.ALICE, ONE, at=b.ago(hours=9))
FOLLOW = b.follow(b.ALICE, b.BOB, at=b.ago(hours=9))
REPLY = b.post(b.ALICE, at=b.ago(hours=9), reply_to=ONE)
QUOTE = b.post(b.ALICE, at=b.ago(hours=8), quote=ONE)
OVER = (
    created_over(LIKE, at=b.ago(hours=2), subject=reference(OTHER)),
    created_over(REPOST, at=b.ago(hours=2), subject=reference(OTHER)),
    created_over(FOLLOW, at=b.ago(hours=2), subject=b.DAN),
    created_over(REPLY, at=b.ago(hours=2), reply={"parent": reference(OTHER), "root": reference(OTHER)}),
    created_over(QUOTE, at=b.ago(hours=2), embed={}),
)


def counts() -> dict[str, dict[str, int]]:
    return {
        kind: {"one" if uri == ONE.uri else "other": number for uri, number in tables.counts(kind).items()}
        for kind in ("like", "repost", "reply", "quote")
    } | {"follow": tables.followers()}


RIGHT = {
    "like": {"other": 1}, "repost": {"other": 1}, "reply": {"other": 1}, "quote": {}, "follow": {b.DAN: 1},
}  # fmt: skip


def test_a_create_over_an_existing_key_counts_for_its_own_subject_alone_after_the_nightly_task() -> None:
    b.store(ONE, OTHER, LIKE, REPOST, FOLLOW, REPLY, QUOTE, *OVER)
    assert counts()["like"] == {"one": 1, "other": 1}, "the fault that the task mends"
    tasks.write_missing_retractions()
    assert counts() == RIGHT
    before = tables.rows("SELECT count() FROM retractions", "count")
    tasks.write_missing_retractions()
    assert tables.rows("SELECT count() FROM retractions", "count") == before


def test_the_order_of_arrival_does_not_matter_and_what_was_retracted_is_left_alone() -> None:
    gone = b.like(b.DAN, ONE, at=b.ago(hours=7))
    b.store(ONE, OTHER, *OVER, gone, b.delete(gone, at=b.ago(hours=6)), b.recreate(gone, at=b.ago(hours=5)))
    b.store(LIKE, REPOST, FOLLOW, REPLY, QUOTE)
    assert missing_retractions.write_missing_retractions(since=timezone.now() - HOUR) == 5
    assert counts() == {**RIGHT, "like": {"one": 1, "other": 1}}


def test_a_create_over_an_updated_key_takes_back_what_the_update_counted_for() -> None:
    updated = b.update(LIKE, at=b.ago(hours=5), subject=reference(ONE))
    b.store(ONE, OTHER, LIKE, updated, OVER[0])
    assert counts()["like"] == {"one": 1, "other": 1}
    tasks.write_missing_retractions()
    assert counts()["like"] == {"other": 1}


@pytest.mark.parametrize("rkey", ["a-name", None])
def test_a_forerunner_of_weeks_ago_is_found_and_one_of_the_same_minute(rkey: str | None) -> None:
    old = b.like(b.ALICE, ONE, at=b.ago(days=20), rkey=rkey)
    quick = b.like(b.DAN, ONE, at=b.ago(minutes=9))
    b.store(ONE, OTHER, old, quick)
    door.execute("ALTER TABLE repo_records UPDATE stored_at = stored_at - 1728000 WHERE repo = {did:String}"
                 " SETTINGS mutations_sync = 1", {"did": b.ALICE}, name="tests.age")  # fmt: skip
    for record in (old, quick):
        b.store(created_over(record, at=b.ago(minutes=8, seconds=50), subject=reference(OTHER)))
    tasks.write_missing_retractions()
    assert tables.counts("like") == {OTHER.uri: 2}


def test_the_command_finds_them_and_repairs_them_whenever_they_arrived() -> None:
    b.store(ONE, OTHER, LIKE, REPOST, FOLLOW, REPLY, QUOTE, *OVER)
    door.execute("ALTER TABLE repo_records UPDATE stored_at = stored_at - 864000 WHERE 1 SETTINGS mutations_sync = 1",
                 name="tests.age")  # fmt: skip
    tasks.write_missing_retractions()
    assert counts()["follow"] == {b.BOB: 1, b.DAN: 1}, "it arrived before the night's two days"
    said = check()
    assert said[:2] == [
        "post: replaced by a create, and still counted for the old subject: 2",
        f"  {b.ALICE} {REPLY.rkey}",
    ]
    assert "like: replaced by a create, and still counted for the old subject: 1" in said
    assert "follow: counted in followers and not live in follows: 1" in said
    assert said[-1] == "10 differences; --repair writes the missing rows"
    check("--repair")
    assert (counts(), check()) == (RIGHT, ["no differences"])


def test_a_sound_index_has_no_differences() -> None:
    profile, block = b.profile(b.ALICE, at=b.ago(hours=9), name="A"), b.block(b.ALICE, b.DAN, at=b.ago(hours=9))
    b.store(ONE, OTHER, LIKE, REPOST, FOLLOW, REPLY, QUOTE, profile, block)
    b.store(b.update(LIKE, at=b.ago(hours=3), subject=reference(OTHER)), b.delete(FOLLOW, at=b.ago(hours=3)))
    b.store(b.delete(REPLY, at=b.ago(hours=3)), b.update(QUOTE, at=b.ago(hours=2), text="more"))
    assert check() == ["no differences"]


LOST = {
    "posts": "posts: missing, or older than the event",
    "likes": "likes: missing, or older than the event",
    "reposts": "reposts: missing, or older than the event",
    "follows": "follows: missing, or older than the event",
    "blocks": "blocks: missing, or older than the event",
    "actor_profiles": "actor_profiles: missing, or older than the event",
    "posts_by_actor": "posts_by_actor: missing, or older than in posts",
    "retractions": "retractions of like: missing, or older than the event",
    "followers": "follow: live in follows and not in followers",
    "engagement": "quote: live in posts and not in engagement",
}


@pytest.mark.parametrize("table", LOST)
def test_rows_that_are_missing_are_found_and_made_from_the_raw_events(table: str) -> None:
    profile, block = b.profile(b.ALICE, at=b.ago(hours=9), name="A"), b.block(b.ALICE, b.DAN, at=b.ago(hours=9))
    unliked = b.like(b.DAN, ONE, at=b.ago(hours=7))
    b.store(
        ONE, OTHER, LIKE, REPOST, FOLLOW, REPLY, QUOTE, profile, block, unliked, b.delete(unliked, at=b.ago(hours=6))
    )
    rows = tables.rows(f"SELECT count() FROM {table} FINAL", "count")
    before = counts()
    door.execute(f"TRUNCATE TABLE {table}", name="tests.truncate")
    assert any(line.startswith(f"{LOST[table]}: ") for line in check())
    check("--repair")
    assert counts() == before
    # A row that was retracted is not made again.
    assert table == "engagement" or tables.rows(f"SELECT count() FROM {table} FINAL", "count") == rows
    assert check() == ["no differences"]
