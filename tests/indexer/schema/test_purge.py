"""A deleted account is gone from every table, view and count; an account that returns starts empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK
from indexer.index import stats
from indexer.index.floors import FloorRow
from indexer.index.purge import PURGED_TABLES, floors_of_dead_arrivals, purge, purge_dead, unpurged_floors
from tests.builders import (
    ALICE,
    BOB,
    CAROL,
    Record,
    Row,
    account,
    ago,
    block,
    delete,
    floor,
    follow,
    identity,
    like,
    micros,
    post,
    profile,
    repost,
    store,
)  # fmt: skip
from tests.indexer.schema import tables

HOUR = 3_600_000_000


def life_of(did: Did, friend: Record, now: int) -> list[Row]:
    """What someone did in the hours before `now`: a row in every table that holds rows by did."""
    hello = post(did, at=now - 5 * HOUR, text="hello", reply_to=friend, quote=friend)
    root = post(did, at=now - 5 * HOUR, text="root")
    unliked = like(did, friend, at=now - 4 * HOUR)
    return [
        hello, root, unliked, delete(unliked, at=now - 3 * HOUR),
        like(did, friend, at=now - 2 * HOUR),
        repost(did, friend, at=now - 2 * HOUR),
        follow(did, friend.did, at=now - 2 * HOUR),
        block(did, CAROL, at=now - 2 * HOUR),
        profile(did, at=now - 2 * HOUR, name="a name"),
        identity(did, "name.example.com", at=now - 2 * HOUR),
    ]  # fmt: skip


def deletion_of(did: Did, now: int) -> list[Row]:
    return [account(did, active=False, status="deleted", at=now), floor(did, at=now + 5 * 60_000_000)]


def rows_by_did() -> dict[str, set[str]]:
    """The dids that have rows left, table by table."""
    found = {name: set(door.column(f"SELECT DISTINCT did FROM {name}", name="tests.dids")) for name in PURGED_TABLES}
    for name in ("actor_identities", "actor_handles", "people_tokens"):
        found[name] = set(door.column(f"SELECT DISTINCT did FROM {name}", name="tests.dids"))
    found["repo_records"] = set(door.column("SELECT DISTINCT repo FROM repo_records", name="tests.dids"))
    return found


def test_a_deleted_account_vanishes_from_tables_views_and_counts(clickhouse: None) -> None:
    now = micros(ago(hours=1))
    friend = post(CAROL, at=now - 6 * HOUR, text="friend")
    store(friend, *life_of(ALICE, friend, now), *life_of(BOB, friend, now))
    assert all(dids >= {ALICE, BOB} for dids in rows_by_did().values())
    store(*deletion_of(ALICE, now))

    assert purge_dead(now=datetime.now(UTC)) == 1

    assert all(BOB in dids and ALICE not in dids for dids in rows_by_did().values())
    score = "SELECT likes, reposts FROM recent_posts_with_score WHERE did = {did:String}"
    assert tables.rows(score, "likes", "reposts", did=CAROL) == [{"likes": 1, "reposts": 1}]
    assert tables.rows("SELECT DISTINCT did FROM recent_posts ORDER BY did", "did") == [{"did": BOB}, {"did": CAROL}]
    assert tables.followers() == {CAROL: 1}
    assert tables.rows("SELECT did FROM following_counts", "did") == [{"did": BOB}]
    assert {kind: tables.counts(kind) for kind in ("reply", "quote")} == {
        "reply": {friend.uri: 1},
        "quote": {friend.uri: 1},
    }
    assert tables.rows("SELECT handle, active, status, display_name FROM actors WHERE did = {did:String}",
                       "handle", "active", "status", "name", did=ALICE) == [
        {"handle": "", "active": 0, "status": "deleted", "name": ""}
    ]  # fmt: skip
    totals = stats.totals()
    assert (totals.posts, totals.likes, totals.reposts, totals.follows, totals.blocks) == (3, 1, 1, 1, 1)


def test_what_others_said_about_a_deleted_account_stays(clickhouse: None) -> None:
    hello = post(ALICE, at=ago(hours=3), text="hello")
    liked, followed = like(BOB, hello, at=ago(hours=2)), follow(BOB, ALICE, at=ago(hours=2))
    store(hello, liked, followed, *deletion_of(ALICE, micros(ago(hours=1))))
    purge_dead(now=datetime.now(UTC))
    assert tables.counts("like") == {hello.uri: 1}
    assert tables.followers() == {ALICE: 1}


def test_a_did_that_returns_starts_empty_and_its_new_records_live(clickhouse: None) -> None:
    now = micros(ago(hours=1))
    returned = post(ALICE, at=now + 10 * 60_000_000, text="I am back")
    store(post(ALICE, at=now - HOUR, text="old"), *deletion_of(ALICE, now), returned)
    store(identity(ALICE, "back.example.com", at=now + 10 * 60_000_000), account(ALICE, at=now + 10 * 60_000_000))
    purge_dead(now=datetime.now(UTC))
    assert tables.rows("SELECT text FROM recent_posts", "text") == [{"text": "I am back"}]
    assert tables.rows("SELECT handle, active FROM actors", "handle", "active") == [
        {"handle": "back.example.com", "active": 1}
    ]


def test_a_repo_that_began_anew_keeps_its_handle(clickhouse: None) -> None:
    now = micros(ago(hours=1))
    store(
        identity(ALICE, "alice.example.com", at=now - HOUR),
        post(ALICE, at=now - HOUR, text="old"),
        floor(ALICE, at=now, reason="sync"),
    )
    purge_dead(now=datetime.now(UTC))
    assert tables.rows("SELECT did FROM posts", "did") == []
    assert tables.rows("SELECT handle FROM actors", "handle") == [{"handle": "alice.example.com"}]


def test_a_floor_is_purged_once_and_again_when_it_rises(clickhouse: None) -> None:
    now = micros(ago(hours=1))
    store(post(ALICE, at=now - HOUR, text="old"), *deletion_of(ALICE, now))
    assert [unpurged.did for unpurged in unpurged_floors()] == [ALICE]
    assert purge_dead(now=datetime.now(UTC)) == 1
    assert purge_dead(now=datetime.now(UTC)) == 0
    store(floor(ALICE, at=now + 30 * 60_000_000))
    assert purge_dead(now=datetime.now(UTC)) == 1


def test_dead_rows_that_arrive_after_the_purge_are_found_and_purged(clickhouse: None) -> None:
    now = micros(ago(hours=1))
    old = post(ALICE, at=now - HOUR, text="old")
    store(*deletion_of(ALICE, now))
    purge_dead(now=datetime.now(UTC))
    store(old, like(ALICE, old, at=now - HOUR))
    assert [found.did for found in floors_of_dead_arrivals(since=datetime.now(UTC) - timedelta(days=2))] == [ALICE]
    assert purge_dead(now=datetime.now(UTC)) == 1
    assert all(ALICE not in dids for dids in rows_by_did().values())
    assert purge_dead(now=datetime.now(UTC)) == 0


def test_of_two_floors_the_larger_stands(clickhouse: None) -> None:
    now = micros(ago(hours=1))
    store(floor(ALICE, at=now))
    store(floor(ALICE, at=now - HOUR, reason="sync"))
    assert tables.rows("SELECT floor FROM repo_floors FINAL", "floor") == [{"floor": floor(ALICE, at=now).version}]


def test_each_did_of_a_batch_is_cut_at_its_own_floor(clickhouse: None) -> None:
    now = micros(ago(hours=1))
    dids = [Did(f"did:plc:{number:024d}") for number in range(1_200)]  # more than two batches
    moments = {did: now - number * 1_000_000 for number, did in enumerate(dids)}
    below = [post(did, at=moment - 1, text="dead") for did, moment in moments.items()]
    above = [post(did, at=moment + 1, text="lives") for did, moment in moments.items()]
    store(*below, *above, *[floor(did, at=moment) for did, moment in moments.items()])
    assert purge_dead(now=datetime.now(UTC)) == len(dids)
    assert tables.rows("SELECT text, count() FROM posts FINAL GROUP BY text", "text", "count") == [
        {"text": "lives", "count": 1_200}
    ]


def test_a_purge_of_nobody_does_nothing(clickhouse: None) -> None:
    purge([], now=datetime.now(UTC))
    assert door.scalar("SELECT count() FROM purges", name="tests.purges", limits=TASK) == 0


def test_a_purge_that_is_done_again_changes_nothing(clickhouse: None) -> None:
    now = micros(ago(hours=1))
    store(post(ALICE, at=now - HOUR, text="old"), post(ALICE, at=now + HOUR // 2, text="new"))
    floors = [FloorRow(ALICE, floor(ALICE, at=now).version, "deleted")]
    for _ in range(2):
        purge(floors, now=datetime.now(UTC))
        assert tables.rows("SELECT text FROM posts", "text") == [{"text": "new"}]
