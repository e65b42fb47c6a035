"""A repo fetched from its PDS over HTTP into the real tables."""

from __future__ import annotations

import io
import json
import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import int_of_micros, tid_of_micros
from atsite.core.config import config
from atsite.core.identity import resolver
from atsite.core.pds import PdsError
from indexer.backfill import jobs, repo, run
from indexer.index import do_not_index, stats
from indexer.index.models import Backfill, RefusedActor
from indexer.stream import subscription
from tests import builders as b
from tests.core.copies import processes
from tests.indexer.pds import MISSING, FakePds, pds_of, serving
from tests.indexer.stream_fold import _rows as rows_of
from tests.rows import Record, cid_of, store

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

State = Backfill.State
MINUTE = timedelta(minutes=1)
OF_2050 = tid_of_micros(2_524_608_000_000_000)


@pytest.fixture
def pds(
    clickhouse: None, valkey: redis.Redis, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakePds]:
    with serving(pds_of()) as served:
        monkeypatch.setattr(resolver, "config", replace(config, plc_url=served.url))
        monkeypatch.setattr(repo._paces, "_burst", 1e6)
        yield served


def backfill(did: Did = b.ALICE, *, days: int = 30) -> Backfill:
    jobs.ask(did, days=days)
    return jobs.run_one(did)


def again() -> Backfill:
    """What the task does once the row is due, or its worker's lease ended."""
    past = timezone.now() - MINUTE
    Backfill.objects.filter(leased_until=None).update(next_at=past)
    Backfill.objects.exclude(leased_until=None).update(leased_until=past)
    jobs.run_due()
    return Backfill.objects.get()


def raw() -> set[tuple[str, str, str, str]]:
    """Collection, rkey, operation and source of each raw event."""
    return {tuple(row) for row in rows_of("SELECT collection, rkey, operation, source FROM repo_records")}


def posts() -> dict[str, tuple[str, int]]:
    """Text of each live post, and whether it came from a repo."""
    return {
        rkey: (text, backfilled)
        for rkey, text, backfilled in rows_of("SELECT rkey, text, backfilled FROM posts FINAL WHERE deleted = 0")
    }


def counts(row: Backfill) -> dict[str, int]:
    return {name: row.progress[name] for name in ("listed", "written", "removed", "unreadable")}


def test_everything_of_the_last_days_is_fetched_and_nothing_older(pds: FakePds) -> None:
    subject = b.post(b.BOB, at=b.ago(days=2))
    recent = [
        b.post(b.ALICE, at=b.ago(hours=1), text="new"),
        b.post(b.ALICE, at=b.ago(days=29), text="rather old"),
        b.like(b.ALICE, subject, at=b.ago(hours=2)),
        b.repost(b.ALICE, subject, at=b.ago(hours=3)),
        b.follow(b.ALICE, b.BOB, at=b.ago(hours=4)),
        b.block(b.ALICE, b.DAN, at=b.ago(hours=5)),
    ]
    profile = b.profile(b.ALICE, at=b.ago(days=900), name="Alice")
    older = [b.post(b.ALICE, at=b.ago(days=31, minutes=number), text="too old") for number in range(9)]
    pds.commit(profile, *older, *recent)
    pds.page = 2

    row = backfill()

    assert (row.state, row.reason) == (State.COMPLETED, "")
    expected = {(event.collection, event.rkey, "create", "backfill") for event in [profile, *recent]}
    assert raw() == expected
    assert {version for (version,) in rows_of("SELECT version FROM repo_records")} == {pds.rev}
    assert {text for text, _ in posts().values()} == {"new", "rather old"}
    assert rows_of("SELECT subject_uri FROM likes FINAL") == [(subject.uri,)]
    assert rows_of("SELECT did, display_name FROM actors") == [(b.ALICE, "Alice")]
    asked = [query["collection"] for method, query in pds.asked if method == "listRecords"]
    assert asked.count(b.POST) == 2  # the page that reaches beyond the days is the last one
    assert counts(row) == {"listed": 9, "written": 7, "removed": 0, "unreadable": 0}


def test_the_rev_is_asked_before_the_first_record_is_listed(pds: FakePds) -> None:
    backfill()
    assert [method for method, _ in pds.asked] == ["getLatestCommit"] + ["listRecords"] * 6


def test_what_was_deleted_while_nobody_listened_is_taken_back_and_the_rest_stays_as_it_came(pds: FakePds) -> None:
    kept, gone, older = (
        b.post(b.ALICE, at=b.ago(**{unit: number}), text=text)
        for unit, number, text in (("hours", 2, "kept"), ("hours", 3, "gone"), ("days", 40, "older"))
    )
    liked, unliked = b.like(b.ALICE, kept, at=b.ago(hours=1)), b.like(b.ALICE, gone, at=b.ago(minutes=50))
    store(kept, gone, older, liked, unliked)
    pds.commit(older, kept, gone, liked, unliked, b.delete(gone, at=b.ago(minutes=20)))
    pds.commit(b.delete(unliked, at=b.ago(minutes=10)))

    row = backfill()

    assert counts(row) == {"listed": 3, "written": 0, "removed": 2, "unreadable": 0}
    assert posts() == {kept.rkey: ("kept", 0), older.rkey: ("older", 0)}
    assert rows_of("SELECT rkey FROM likes FINAL WHERE deleted = 0") == [(liked.rkey,)]
    tombstones = {row for row in raw() if row[3] == "backfill"}
    assert tombstones == {(b.POST, gone.rkey, "delete", "backfill"), (b.LIKE, unliked.rkey, "delete", "backfill")}


def of_many(pds: FakePds, number: int) -> list[Record]:
    """So many posts, held here and in the repo, and the repo's next rev."""
    made = [b.post(b.ALICE, at=b.ago(hours=1, minutes=minute), text=str(minute)) for minute in range(number)]
    store(*made)
    pds.commit(*made, b.follow(b.ALICE, b.BOB, at=b.ago(minutes=1)))
    return made


def test_an_empty_page_with_a_cursor_is_not_the_end_of_the_list(pds: FakePds) -> None:
    made = of_many(pds, 3)
    pds.empty_pages = 2
    row = backfill()
    assert (row.state, row.progress["removed"]) == (State.COMPLETED, 0)
    assert set(posts()) == {post.rkey for post in made}


def test_a_list_that_never_ends_fails_and_deletes_nothing(pds: FakePds) -> None:
    made = of_many(pds, 3)
    pds.refuses["listRecords"] = (200, {"records": [], "cursor": "again"})
    row = backfill()
    assert row.state == State.FAILED
    assert "repeats the cursor 'again'" in row.reason
    assert set(posts()) == {post.rkey for post in made}
    assert {event for event in raw() if event[3] == "backfill"} == set()


def test_a_page_that_does_not_end_the_list_deletes_nothing_yet(pds: FakePds) -> None:
    gone, kept = of_many(pds, 2)  # the newer one is gone: the first page alone would tell
    pds.commit(b.delete(gone, at=b.ago(seconds=30)))

    def breaks(method: str, query: dict[str, str]) -> None:
        if query.get("collection") == b.POST and query.get("cursor"):
            pds.refuses["listRecords"] = (502, {"error": "UpstreamFailure"})

    pds.before = breaks
    assert backfill().state == State.WAITING
    assert set(posts()) == {kept.rkey, gone.rkey}
    pds.before, pds.refuses = (lambda method, query: None), {}
    assert (again().state, set(posts())) == (State.COMPLETED, {kept.rkey})


@pytest.mark.parametrize("held", [21, 60])
def test_a_pds_that_lists_nothing_of_what_it_has_is_not_believed(pds: FakePds, held: int) -> None:
    made = of_many(pds, held)
    pds.hides = {b.POST}
    row = backfill()
    assert row.state == State.FAILED
    assert row.reason.startswith(
        f"its PDS does not list {held} of {held} records of app.bsky.feed.post, but has at least one of them"
    )
    assert set(posts()) == {post.rkey for post in made}


@pytest.mark.parametrize(
    ("status", "error", "state"),
    [
        (400, "InvalidRequest", State.FAILED),
        (403, "RecordNotFound", State.FAILED),
        (500, "RecordNotFound", State.WAITING),
    ],
)
def test_a_pds_that_cannot_tell_whether_a_record_lives_is_not_believed(
    pds: FakePds, status: int, error: str, state: str
) -> None:
    made = of_many(pds, 21)
    pds.hides = {b.POST}
    pds.refuses["getRecord"] = (status, {"error": error, "message": "what is that?"})
    assert backfill().state == state
    assert set(posts()) == {post.rkey for post in made}


def test_what_its_owner_deleted_goes_however_much_it_is_once_the_pds_says_so_by_name(pds: FakePds) -> None:
    made = of_many(pds, 40)
    pds.commit(*(b.delete(post, at=b.ago(seconds=40)) for post in made))
    row = backfill()
    assert (row.state, row.progress["removed"]) == (State.COMPLETED, 40)
    assert posts() == {}
    asked = [query["rkey"] for method, query in pds.asked if method == "getRecord"]
    assert len(set(asked)) == 10
    assert set(asked) <= {post.rkey for post in made}


def test_what_changed_while_nobody_listened_is_brought_up_to_date_with_what_it_counted_for(pds: FakePds) -> None:
    one, other = b.post(b.BOB, at=b.ago(days=1), text="1"), b.post(b.BOB, at=b.ago(days=1), text="2")
    liked = b.like(b.ALICE, one, at=b.ago(hours=3))
    store(one, other, liked)
    reference = {"uri": other.uri, "cid": other.cid}
    pds.commit(liked, b.update(liked, at=b.ago(hours=2), subject=reference))

    backfill()

    score = "SELECT uri, likes FROM recent_posts_with_score WHERE likes > 0"
    assert rows_of(score) == [(other.uri, 1)]


def test_a_second_backfill_writes_nothing(pds: FakePds) -> None:
    pds.commit(*(b.post(b.ALICE, at=b.ago(hours=hour), text=str(hour)) for hour in range(1, 6)))
    assert counts(backfill())["written"] == 5
    before = raw()
    assert counts(backfill())["written"] == 0
    assert raw() == before


def test_backfilled_rows_count_in_no_daily_statistic(pds: FakePds) -> None:
    at = datetime.now(UTC) - timedelta(days=3)
    streamed, missed = b.post(b.ALICE, at=at, text="a"), b.post(b.ALICE, at=at, text="b")
    follows = [b.follow(b.ALICE, b.BOB, at=at), b.follow(b.ALICE, b.DAN, at=at)]
    likes = [b.like(b.ALICE, streamed, at=at), b.like(b.ALICE, missed, at=at)]
    store(streamed, follows[0], likes[0])
    days = [at.date()]
    before = stats.rewrite_days(days, now=timezone.now())
    pds.commit(streamed, missed, *follows, *likes)

    backfill()

    assert posts() == {streamed.rkey: ("a", 0), missed.rkey: ("b", 1)}
    assert stats.rewrite_days(days, now=timezone.now()) == before
    assert (before[0].posts, before[0].follows, before[0].likes, before[0].actors) == (1, 1, 1, 1)


def story(seed: int) -> tuple[random.Random, list[Record]]:
    """Creates, updates, deletes and re-creates of five keys, one commit each, in the order of their revs."""
    chance = random.Random(seed)
    made: dict[int, Record] = {}
    alive: dict[int, Record] = {}
    commits: list[Record] = []
    for number in range(40):
        key, at = chance.randrange(5), b.ago(hours=20, minutes=-number)
        if key not in made:
            event = made[key] = b.post(b.ALICE, at=b.ago(hours=30 + key), text=f"{key}", rev_at=at)
        elif key not in alive:
            event = b.recreate(made[key], at=at, text=f"{key} re-created {number}")
        elif chance.random() < 0.5:
            event = b.delete(alive[key], at=at)
        else:
            event = b.update(alive[key], at=at, text=f"{key} updated {number}")
        alive.pop(key, None)
        if event.operation != "delete":
            alive[key] = event
        commits.append(event)
    return chance, commits


@pytest.mark.parametrize("seed", range(12))
def test_create_delete_and_re_create_of_the_same_key_while_a_slow_backfill_runs(pds: FakePds, seed: int) -> None:
    """Whatever arrives from the stream before, between and after the pages, the tables end as the repo is.

    What happened before the backfill may be missing altogether; whatever comes after the rev was asked arrives, once.
    """
    chance, commits = story(seed)
    begin = chance.randrange(5, 25)
    missed = {index for index in range(begin) if chance.random() < 0.5}
    waiting = [event for index, event in enumerate(commits) if index not in missed]
    pds.commit(*commits[:begin])
    pds.page = 2
    coming = iter(commits[begin:])

    def meanwhile(method: str, query: dict[str, str]) -> None:
        if method != "listRecords" or query["collection"] != b.POST:
            return
        pds.commit(*islice(coming, chance.randrange(8)))
        # What the stream brings lags behind the repo, and comes in its order.
        for _ in range(chance.randrange(10)):
            if waiting and waiting[0].version <= pds.rev:
                store(waiting.pop(0))

    pds.before = meanwhile
    row = backfill()
    pds.commit(*coming)
    store(*waiting)

    assert row.state == State.COMPLETED
    in_repo = {rkey: str((record.record or {})["text"]) for (_, rkey), record in pds.records.items()}
    assert {rkey: text for rkey, (text, _) in posts().items()} == in_repo


def test_a_record_that_cannot_be_read_is_counted_and_the_others_are_fetched(pds: FakePds) -> None:
    deep: Any = 1
    for _ in range(600):
        deep = {"a": deep}
    odd = replace(b.post(b.ALICE, at=b.ago(hours=1)), record={"$type": b.POST, "deep": deep})
    pds.commit(odd, b.post(b.ALICE, at=b.ago(hours=2), text="fine"))
    row = backfill()
    assert (row.state, counts(row)["unreadable"]) == (State.COMPLETED, 1)
    assert [text for text, _ in posts().values()] == ["fine"]


def test_a_run_that_broke_goes_on_behind_the_last_page_that_is_durable(pds: FakePds) -> None:
    for number in range(6):
        pds.commit(b.post(b.ALICE, at=b.ago(hours=number + 1), text=str(number)))
    pds.page = 2
    calls = 0

    def break_at_the_third_page_of_posts(method: str, query: dict[str, str]) -> None:
        nonlocal calls
        if method == "listRecords" and query["collection"] == b.POST:
            calls += 1
            if calls == 3:
                pds.refuses["listRecords"] = (500, {"error": "InternalServerError"})

    pds.before = break_at_the_third_page_of_posts
    row = backfill()
    assert (row.state, len(posts())) == (State.WAITING, 4)
    assert row.next_at is not None
    assert row.next_at > timezone.now()

    asked = len(pds.asked)
    pds.refuses.clear()
    row = again()

    assert (row.state, len(posts()), counts(row)["written"]) == (State.COMPLETED, 6, 6)
    first = next(query for method, query in pds.asked[asked:] if method == "listRecords")
    oldest_two = sorted(rkey for (its, rkey) in pds.records if its == b.POST)[:2]
    assert (first["collection"], first["cursor"]) == (b.POST, sorted(posts())[2])
    assert oldest_two == sorted(posts())[:2]


KILLED = """
import os
from dataclasses import replace
from atsite.core.config import config
from atsite.core.identity import resolver
from indexer.backfill import jobs
resolver.config = replace(config, plc_url=os.environ["THE_PLC"])
jobs.run_due()
"""


def test_a_worker_that_is_killed_leaves_its_work_to_the_next_when_its_lease_ends(pds: FakePds) -> None:
    for number in range(6):
        pds.commit(b.post(b.ALICE, at=b.ago(hours=number + 1), text=str(number)))
    pds.page = 2
    stopped, go_on = threading.Event(), threading.Event()

    def hang_at_the_second_page_of_posts(method: str, query: dict[str, str]) -> None:
        if query.get("collection") == b.POST and query.get("cursor"):
            stopped.set()
            go_on.wait(60)

    pds.before = hang_at_the_second_page_of_posts
    jobs.ask(b.ALICE)
    process = processes.start(KILLED, THE_PLC=pds.url)
    assert stopped.wait(60)
    process.kill()
    process.communicate()
    go_on.set()
    pds.before = lambda method, query: None

    row = Backfill.objects.get()
    assert (row.state, len(posts()), jobs.run_due()) == (State.RUNNING, 2, 0)
    asked = len(pds.asked)
    assert again().state == State.COMPLETED
    assert len(posts()) == 6
    first = next(query for method, query in pds.asked[asked:] if method == "listRecords")
    assert (first["collection"], "cursor" in first) == (b.POST, True)


def test_the_command_says_what_it_did(pds: FakePds) -> None:
    pds.commit(b.post(b.ALICE, at=b.ago(days=2)), b.post(b.ALICE, at=b.ago(days=9)))
    out = io.StringIO()
    call_command("backfill", "--did", b.ALICE, "--days", "7", stdout=out)
    assert out.getvalue() == "2 records listed, 1 written, 0 removed\n"
    pds.exists = False
    with pytest.raises(CommandError, match="the account is gone: "):
        call_command("backfill", "--did", b.ALICE)
    with pytest.raises(CommandError, match="is not a valid did"):
        call_command("backfill", "--did", "alice.test")


def test_who_moves_while_it_runs_is_found_at_the_new_place(pds: FakePds) -> None:
    pds.commit(*(b.post(b.ALICE, at=b.ago(hours=hour), text=str(hour)) for hour in range(1, 6)))
    pds.page = 2
    with serving(FakePds(b.ALICE, pds.records, pds.rev, page=2)) as new:

        def move(method: str, query: dict[str, str]) -> None:
            if query.get("cursor"):
                pds.pds = new.url
                pds.refuses["listRecords"] = (400, {"error": "RepoDeactivated", "message": "moved"})

        pds.before = move
        row = backfill()
        assert (row.state, len(posts())) == (State.COMPLETED, 5)
        assert "cursor" in next(query for _, query in new.asked if query.get("collection") == b.POST)


LATER, NO_MORE = True, False


@pytest.mark.parametrize(
    ("method", "answer", "state", "reason"),
    [
        ("getLatestCommit", (400, {"error": "RepoNotFound", "message": "x"}), State.GONE, "does not have the account"),
        ("listRecords", MISSING, State.GONE, "does not have the account"),
        ("getLatestCommit", (400, {"error": "RepoDeactivated"}), State.WAITING, "its owner deactivated the account"),
        ("getLatestCommit", (400, {"error": "RepoTakendown"}), State.WAITING, "its PDS took the account down"),
        ("listRecords", (500, {"error": "InternalServerError"}), State.WAITING, "does not answer"),
        ("listRecords", (200, b"<html>"), State.FAILED, "cannot be read"),
        ("listRecords", (401, {"error": "AuthMissing"}), State.FAILED, "refuses to list"),
        ("getLatestCommit", (200, {"cid": "c", "rev": "yesterday"}), State.FAILED, "an invalid rev"),
        ("getLatestCommit", (200, {"cid": "c", "rev": OF_2050}), State.FAILED, "an invalid rev"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else None,
)
def test_what_the_pds_answers_becomes_a_state_with_a_reason(
    pds: FakePds, method: str, answer: tuple[int, Any], state: str, reason: str
) -> None:
    pds.refuses[method] = answer
    row = backfill()
    assert row.state == state
    assert reason in row.reason
    assert (row.finished_at is None) == (state == State.WAITING)


def test_a_did_that_does_not_exist_is_gone_and_one_without_a_pds_failed(pds: FakePds) -> None:
    pds.exists = False
    row = backfill()
    assert (row.state, row.reason) == (State.GONE, f"the account is gone: {b.ALICE} has no document")
    pds.exists, pds.pds = True, "nowhere"
    row = backfill()
    assert (row.state, row.reason) == (State.FAILED, "its did document has no PDS")


def test_a_pds_that_asks_for_patience_gets_it(pds: FakePds, monkeypatch: pytest.MonkeyPatch) -> None:
    pds.refuses["listRecords"] = (429, {"error": "RateLimitExceeded"})
    before = timezone.now()
    row = backfill()
    assert row.state == State.WAITING
    assert row.next_at is not None
    assert row.next_at >= before + timedelta(seconds=repo.LATER_SECONDS)
    assert row.next_at < timezone.now() + timedelta(seconds=2 * repo.LATER_SECONDS)


@pytest.mark.parametrize(("asked", "seconds"), [(0.0, repo.LATER_SECONDS), (90.0, 90.0)])
def test_a_pds_that_says_how_long_to_wait_is_asked_again_after_that(asked: float, seconds: float) -> None:
    meaning = repo._meaning(PdsError("RateLimitExceeded", "too many requests", 429, asked))
    assert isinstance(meaning, repo.NotNow)
    assert meaning.seconds == seconds


def test_failures_that_do_not_pass_end_in_a_state_that_a_person_sees(pds: FakePds) -> None:
    pds.refuses["getLatestCommit"] = (500, {})
    backfill()
    Backfill.objects.update(tries=Backfill.max_tries - 1)
    row = again()
    assert row.state == State.FAILED
    assert row.reason.startswith("given up after 12 tries: its PDS does not answer")


def test_a_deleted_account_s_records_do_not_come_back(pds: FakePds) -> None:
    post = b.post(b.ALICE, at=b.ago(hours=2), text="before")
    pds.commit(post)
    store(post, b.floor(b.ALICE, at=b.ago(hours=1)))
    row = backfill()
    assert (row.state, raw()) == (State.WAITING, {(b.POST, post.rkey, "create", "jetstream")})
    assert row.reason == "the actor has written nothing since its data was deleted here"
    pds.commit(b.post(b.ALICE, at=b.ago(minutes=1), text="came back"))
    assert again().state == State.COMPLETED


def test_a_deletion_in_the_midst_ends_what_comes_after_it(pds: FakePds) -> None:
    pds.commit(*(b.post(b.ALICE, at=b.ago(hours=hour), text=str(hour)) for hour in range(1, 6)))
    pds.page = 2

    def delete(method: str, query: dict[str, str]) -> None:
        if query.get("cursor") and query["collection"] == b.POST:
            store(b.floor(b.ALICE, at=b.ago(minutes=0)))

    pds.before = delete
    row = backfill()
    assert (row.state, counts(row)["written"], len(raw())) == (State.COMPLETED, 2, 2)


def test_a_refusal_in_the_midst_ends_what_comes_after_it_before_its_floor_is_set(pds: FakePds) -> None:
    pds.commit(*(b.post(b.ALICE, at=b.ago(hours=hour), text=str(hour)) for hour in range(1, 6)))
    pds.page = 2

    def refuse(method: str, query: dict[str, str]) -> None:
        if query.get("cursor") and query["collection"] == b.POST:
            RefusedActor.objects.get_or_create(did=b.ALICE)
            do_not_index._copy.drop()
            connections.close_all()  # those of the thread that answers

    pds.before = refuse
    row = backfill()
    do_not_index.include(b.ALICE)
    do_not_index._copy.drop()
    assert (row.state, counts(row)["written"], len(raw())) == (State.COMPLETED, 2, 2)


def test_an_actor_whom_the_site_does_not_index_is_not_fetched(pds: FakePds) -> None:
    pds.commit(b.post(b.ALICE, at=b.ago(hours=1)))
    do_not_index.exclude(b.ALICE, by="admin", now=timezone.now())
    do_not_index._copy.drop()
    row = backfill()
    do_not_index.include(b.ALICE)
    do_not_index._copy.drop()
    assert (row.state, row.reason, raw()) == (State.FAILED, "this site does not index this actor", set())


def test_asking_anew_ends_the_run_under_way_and_the_next_one_begins_at_the_beginning(pds: FakePds) -> None:
    pds.commit(*(b.post(b.ALICE, at=b.ago(hours=hour), text=str(hour)) for hour in range(1, 6)))
    pds.page = 2

    def ask_anew(method: str, query: dict[str, str]) -> None:
        if query.get("cursor"):
            pds.before = lambda method, query: None
            jobs.ask(b.ALICE, days=7)

    pds.before = ask_anew
    row = backfill()
    assert (row.state, row.days, row.progress) == (State.QUEUED, 7, {})
    assert jobs.run_due() == 1
    assert Backfill.objects.get().state == State.COMPLETED
    assert len(posts()) == 5


def test_a_row_under_way_is_nobody_else_s_until_its_worker_must_have_died(pds: FakePds) -> None:
    seen = []
    pds.before = lambda method, query: seen.append(jobs.run_due())
    assert backfill().state == State.COMPLETED
    assert set(seen) == {0}


def test_due_rows_are_run_side_by_side_and_each_once(pds: FakePds) -> None:
    dids = [Did(f"did:plc:{name * 24}"[:32]) for name in ("e", "f", "g", "h", "i", "j")]
    for did in dids:
        jobs.ask(did)
    assert jobs.run_due() == len(dids)  # none of them exists
    assert set(Backfill.objects.values_list("state", "tries")) == {(State.GONE, 1)}
    assert jobs.run_due() == 0
    assert json.dumps(Backfill.objects.first().progress) == "{}"  # type: ignore[union-attr]


def test_a_backfill_waits_until_the_stream_is_asked_for_the_actor(pds: FakePds, valkey: redis.Redis) -> None:
    """Filter first, then backfill: else what is written between the two is in neither."""
    valkey.set(subscription.KEY, "41")
    jobs.ask(b.ALICE, after_us=42)
    row = jobs.run_one(b.ALICE)
    assert (row.state, row.reason) == (State.WAITING, "waiting until the indexer subscribes to this actor")
    assert (row.tries, pds.asked) == (0, [])
    valkey.set(subscription.KEY, "42")
    assert again().state == State.COMPLETED


def test_without_clickhouse_it_is_tried_again(pds: FakePds) -> None:
    from tests.away import clickhouse_away

    pds.commit(b.post(b.ALICE, at=b.ago(hours=1)))
    with clickhouse_away():
        row = backfill()
    assert row.state == State.WAITING
    assert row.reason.startswith("a store of this site does not answer")
    assert again().state == State.COMPLETED


def test_versions_of_the_past_and_the_cids_of_the_builders_are_what_the_tests_think() -> None:
    """The builders' cid is the hash of the text that the PDS sends, so that equal records have equal ones."""
    record = b.post(b.ALICE, at=b.ago(hours=1))
    assert record.cid == cid_of(record.json)
    assert record.version >= int_of_micros(b.micros(b.ago(hours=1, seconds=9)))


@pytest.mark.parametrize(
    ("bound", "state", "reason"),
    [
        ({"PAGES_MAX": 3}, State.FAILED, "its PDS lists more than 3 pages of one collection"),
        ({"PAGES_MAX": 4}, State.COMPLETED, ""),  # the last one is empty
        ({"MISSING_MAX": 1}, State.FAILED, "its PDS does not list more than 1 records of one collection"),
        ({"MISSING_MAX": 2}, State.COMPLETED, ""),
    ],
)
def test_a_list_that_is_implausibly_long_is_given_up(
    pds: FakePds, monkeypatch: pytest.MonkeyPatch, bound: dict[str, int], state: State, reason: str
) -> None:
    store(*(b.post(b.ALICE, at=b.ago(minutes=minutes), text="unlisted") for minutes in (90, 100)))
    pds.commit(*(b.post(b.ALICE, at=b.ago(hours=hour), text=str(hour)) for hour in range(1, 6)))
    pds.page = 2
    for name, value in bound.items():
        monkeypatch.setattr(run, name, value)
    row = backfill()
    assert (row.state, row.reason[: len(reason)]) == (state, reason)
