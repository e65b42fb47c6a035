"""Actors who are not indexed: gone from pages at once, purged, and kept out until it is lifted."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import pytest
from django.core.exceptions import ValidationError

from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import tid_of_micros
from atsite.core.clickhouse import door
from atsite.core.copies import process_copies
from feeds.ranking import queries as feed_queries
from feeds.ranking.feed import PostKey
from indexer.index import do_not_index, purge, records
from indexer.index.events import Dead, DeadReason
from indexer.index.models import RefusedActor
from indexer.stream import dead_letter_retry
from indexer.stream.sink import Sink
from tests import builders as b
from tests.away import clickhouse_away
from tests.indexer import frames
from tests.indexer.conftest import index
from tests.indexer.frames import SECOND, T0
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.rows import store

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from tests.indexer.conftest import IndexerProcess

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@pytest.fixture(autouse=True)
def _stores(clickhouse: None, valkey: redis.Redis, transactional_db: None) -> None:
    """Empty; this process holds no list."""
    do_not_index._copy.drop()


def now() -> datetime:
    return datetime.now(UTC)


def shown(*posts: b.Record) -> list[b.Record]:
    """Those that a feed may show."""
    alive = feed_queries.alive([PostKey(post.rkey, post.did) for post in posts])
    return [post for post in posts if PostKey(post.rkey, post.did) in alive]


def dids(table: str, column: str = "did") -> set[str]:
    return set(door.column(f"SELECT DISTINCT {column} FROM {table}", name="tests.dids"))


def test_what_is_indexed_is_hidden_at_once_and_then_gone_from_every_table() -> None:
    hers, his = b.post(b.ALICE, at=b.ago(hours=1), text="hers"), b.post(b.BOB, at=b.ago(hours=1), text="his")
    ahead = b.post(b.ALICE, at=b.ago(minutes=1), rev_at=b.ago(minutes=-3))  # by a fast clock
    store(hers, ahead, his, b.like(b.ALICE, his, at=b.ago(minutes=9)), b.profile(b.ALICE, at=b.ago(hours=2), name="A"))
    store(b.identity(b.ALICE, "alice.test", at=b.ago(hours=2)), b.identity(b.BOB, "bob.test", at=b.ago(hours=2)))
    assert shown(hers, ahead, his) == [hers, ahead, his]

    assert do_not_index.exclude(b.ALICE, by="mod", note="asked", now=now()) == do_not_index.Exclusion(
        added=True, hidden=True
    )
    assert shown(hers, ahead, his) == [his]
    assert do_not_index.apply_pending(now=now()) == 1
    for table in (*purge.PURGED_TABLES, "actor_identities"):
        assert b.ALICE not in dids(table), table
    assert b.ALICE not in dids("repo_records", "repo")
    assert dids("posts") == dids("actor_identities") == {b.BOB}
    assert do_not_index.apply_pending(now=now()) == 0


def test_refusing_again_changes_nothing_and_only_dids_are_refused() -> None:
    do_not_index.exclude(b.ALICE, by="mod", note="asked", now=now())
    assert not do_not_index.exclude(b.ALICE, by="someone", now=now()).added
    assert list(RefusedActor.objects.values_list("did", "note", "created_by")) == [(b.ALICE, "asked", "mod")]
    with pytest.raises(ValidationError, match="Enter a did"):
        do_not_index.exclude(Did("alice.test"), by="mod", now=now())


def test_including_an_actor_again_is_announced_to_every_process(valkey: redis.Redis) -> None:
    def counter() -> int:
        held = valkey.get(process_copies.KEY)
        assert isinstance(held, bytes)
        return int(held)

    do_not_index.exclude(b.ALICE, by="mod", now=now())
    before = counter()
    assert do_not_index.include(b.ALICE)
    assert counter() > before


def test_with_clickhouse_away_the_decision_holds_and_the_task_does_the_rest() -> None:
    post = b.post(b.ALICE, at=b.ago(hours=1))
    store(post)
    with clickhouse_away():
        assert do_not_index.exclude(b.ALICE, by="mod", now=now()) == do_not_index.Exclusion(added=True, hidden=False)
    assert do_not_index.excluded_dids() == {b.ALICE}
    assert shown(post) == [post]
    assert do_not_index.apply_pending(now=now()) == 1
    assert shown(post) == []
    assert dids("posts") == set()


def test_a_floor_from_an_earlier_deletion_does_not_stand_for_that_of_a_refusal() -> None:
    post = b.post(b.ALICE, at=b.ago(hours=1))
    store(b.floor(b.ALICE, at=b.ago(days=9)), post)
    with clickhouse_away():
        do_not_index.exclude(b.ALICE, by="mod", now=now())
    assert shown(post) == [post]
    do_not_index.apply_pending(now=now())
    assert shown(post) == []


def turn(second: int, *dids: Did) -> list[bytes]:
    """A handle and a post of each, in that second of the stream."""
    at = T0 + second * SECOND
    return [
        frame
        for did in dids
        for frame in (
            frames.identity(did, "someone.test", at=at),
            frames.post(did, tid_of_micros(at), "hello", at=at),
        )
    ]


def test_the_indexer_keeps_out_whatever_comes_and_takes_it_again_when_it_is_lifted() -> None:
    do_not_index.exclude(b.ALICE, by="mod", now=now())
    with simulated_jetstream(MemorySource(turn(0, b.ALICE, b.BOB))) as jetstream:
        index(jetstream.url, events=4)
    assert dids("repo_records", "repo") == dids("actor_identities") == {b.BOB}
    assert do_not_index.include(b.ALICE)
    assert not do_not_index.include(b.ALICE)
    door.execute("TRUNCATE TABLE repo_floors", name="tests.truncate")  # its floor lies at now, the stream in the past
    do_not_index._copy.drop()
    with simulated_jetstream(MemorySource(turn(60, b.ALICE, b.BOB))) as jetstream:
        index(jetstream.url, events=4)
    assert dids("repo_records", "repo") == dids("actor_identities") == {b.ALICE, b.BOB}


def test_an_indexer_that_runs_learns_of_it_within_moments(processes: Callable[..., IndexerProcess]) -> None:
    """What it took in before it looked lies below the floor: no page shows it, and the purge ends it."""
    source = MemorySource()
    seconds = count()

    def stored(did: Did) -> int:
        """How many records of `did` there are, after one more of each came."""
        for frame in turn(next(seconds), b.ALICE, b.BOB):
            source.append(frame)
        where = "SELECT count() FROM repo_records WHERE repo = {did:String}"
        return int(door.scalar(where, {"did": did}, name="tests.count"))

    with simulated_jetstream(source) as jetstream:
        running = processes(jetstream.url, "--from", "1")
        running.until(lambda: stored(b.ALICE) > 0, "records of Alice were stored")
        do_not_index.exclude(b.ALICE, by="mod", now=now())
        # Told by what is stored: the batch that was under way may still hold one of hers.
        running.until(lambda: stored(b.BOB) - stored(b.ALICE) > 50, "hers stopped coming")
        assert running.terminate()[0] == 0
    do_not_index.apply_pending(now=now())
    assert dids("repo_records", "repo") == {b.BOB}


def test_a_dead_letter_that_is_tried_again_does_not_bring_them_back() -> None:
    sink = Sink("jetstream.test", wait=lambda seconds: False)
    letters = [Dead(DeadReason.MALFORMED, "", frame, T0) for frame in turn(0, b.ALICE)]
    door.insert("dead_letters", records.dead_letters(letters, "jetstream.test"), name="tests.dead_letters")
    do_not_index.exclude(b.ALICE, by="mod", now=now())
    door.execute("TRUNCATE TABLE repo_floors", name="tests.truncate")
    do_not_index._copy.drop()
    assert dead_letter_retry.retry_with(sink).left_out == 2
    assert dids("repo_records", "repo") == dids("actor_identities") == set()
