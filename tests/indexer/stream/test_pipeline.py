"""The whole way, on real sockets and real stores: what is in the stream is in the tables, whatever happens between."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import pytest

from atsite.core import kv
from atsite.core.clickhouse import door
from atsite.core.kv.lease import LeaseHeld
from indexer.index import purge
from indexer.index.checkpoint import PROTOCOL
from indexer.index.indexer_lease import SingleIndexer
from indexer.stream import checkpoint_store, service
from tests.indexer import frames
from tests.indexer.conftest import index
from tests.indexer.frames import SECOND, T0
from tests.indexer.running import running
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.stream_fold import Fold, all_rows, fold, stored
from tests.indexer.synthetic import synthetic
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import redis

    from tests.indexer.conftest import IndexerProcess

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),  # migrations are looked at, nothing is written
]

LEASE = f"{kv.PREFIX}lease:indexer"
#: Everything that is made from events; the purge's own marks are not.
TABLES = (
    "posts", "posts_by_actor", "likes", "reposts", "follows", "blocks", "engagement", "followers", "retractions",
    "actor_identities", "actor_accounts", "actor_profiles", "repo_floors",
)  # fmt: skip


def purged(now: datetime) -> Fold:
    """What is stored once the nightly purge has run."""
    purge.purge_dead(now=now)
    return stored()


@pytest.fixture
def now() -> datetime:
    from django.utils import timezone

    return timezone.now()


def everything() -> dict[str, list[tuple[object, ...]]]:
    return {table: all_rows(table) for table in TABLES}


def test_a_synthetic_stream_folds_to_what_plain_python_makes_of_it(now: datetime) -> None:
    stream = synthetic()

    with simulated_jetstream(MemorySource(stream)) as jetstream:
        assert index(jetstream.url, events=len(stream)) == len(stream)

    assert purged(now) == fold(stream)


def test_a_replay_from_the_start_changes_no_row(now: datetime) -> None:
    stream = synthetic(events=800)
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=len(stream))
        purge.purge_dead(now=now)
        before = everything()

        index(jetstream.url, events=len(stream))

    assert everything() == before


@pytest.mark.parametrize("seconds", [5, -5])
def test_another_host_that_saw_everything_at_other_times_leaves_the_same_rows(seconds: int, now: datetime) -> None:
    stream = synthetic(events=800)
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=len(stream))
    before = everything()

    with simulated_jetstream(MemorySource([frames.moved(frame, seconds * SECOND) for frame in stream])) as other:
        index(other.url, events=len(stream))

    assert everything() == before
    assert purged(now) == fold(stream)


def test_the_other_host_alone_leaves_the_same_rows(now: datetime) -> None:
    stream = [frames.moved(frame, -5 * SECOND) for frame in synthetic(events=800)]

    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=len(stream))

    assert purged(now) == fold(stream)


def test_a_batch_that_the_clock_ends_is_written_as_well() -> None:
    stream = synthetic(events=60)
    source = MemorySource(stream)
    with simulated_jetstream(source) as jetstream:
        assert index(jetstream.url, events=len(stream)) == len(stream)

    assert stored().accounts == fold(stream).accounts


def test_the_checkpoint_names_the_last_durable_event_in_both_stores() -> None:
    stream = synthetic(events=200)
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=len(stream))
        host = jetstream.url.split("/")[2]

    saved = checkpoint_store.load_redis().checkpoint
    assert saved == checkpoint_store.load_clickhouse().checkpoint
    assert saved is not None
    newest = max(int(frame.partition(b'"time_us":')[2].partition(b",")[0]) for frame in stream)
    assert (saved.cursor, saved.time_us, saved.host, saved.protocol) == (newest, newest, host, PROTOCOL)


def test_sigterm_writes_what_was_read_and_ends_well(processes: Callable[..., IndexerProcess]) -> None:
    stream = synthetic(events=300)
    source = MemorySource(stream)
    with simulated_jetstream(source) as jetstream:
        process = processes(jetstream.url, "--from", "1")
        until(lambda: jetstream.server.sent >= len(stream), "everything is sent")
        until(lambda: bool(stored().accounts), "a first batch is there")
        late = frames.account(frames.did(999), active=True, at=T0 + 999 * SECOND)
        sent = jetstream.server.sent
        jetstream.call(source.append, late)
        until(lambda: jetstream.server.sent > sent, "the late event is sent")
        code, output = process.terminate()

    assert code == 0, output
    assert stored().accounts == fold([*stream, late]).accounts
    saved = checkpoint_store.load_redis().checkpoint
    assert saved is not None
    assert saved.cursor == T0 + 999 * SECOND + 250_000


@pytest.mark.slow  # four starts of a process, one after the other
def test_killed_three_times_it_goes_on_from_its_checkpoint_and_nothing_is_missing(
    processes: Callable[..., IndexerProcess], now: datetime, valkey: redis.Redis
) -> None:
    stream = synthetic(events=1200)
    source = MemorySource(stream[:300])
    with simulated_jetstream(source) as jetstream:
        for number in range(3):
            process = processes(jetstream.url, *(["--from", str(T0)] if number == 0 else []))
            for frame in stream[300 * (number + 1) : 300 * (number + 2) - 150]:
                jetstream.call(source.append, frame)
            part = fold(source.lines).accounts
            process.until(lambda part=part: stored().accounts == part, "what was sent is there")  # type: ignore[misc]
            for frame in stream[300 * (number + 2) - 150 : 300 * (number + 2)]:
                jetstream.call(source.append, frame)
            process.kill()
            valkey.delete(LEASE)  # instead of waiting until it runs out
        assert source.lines == stream
        process = processes(jetstream.url)
        until(lambda: stored().accounts == fold(stream).accounts, "everything is there")
        code, output = process.terminate()

    assert code == 0, output
    assert purged(now) == fold(stream)
    assert door.scalar("SELECT count() FROM stream_gaps", name="tests.gaps") == 0


def test_a_second_indexer_refuses_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with simulated_jetstream(MemorySource(synthetic(events=60))) as jetstream, running(jetstream.url):
        until(lambda: bool(stored().accounts), "the first one runs")
        monkeypatch.setattr(service, "SingleIndexer", partial(SingleIndexer, 0.1))  # how long the second one waits
        with pytest.raises(LeaseHeld, match="already runs as indexer"):
            index(jetstream.url, events=1)


def test_an_indexer_without_a_checkpoint_names_the_ways_out(
    processes: Callable[..., IndexerProcess], valkey: redis.Redis
) -> None:
    stream = synthetic(events=60)
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=len(stream))
        valkey.delete(checkpoint_store.KEY)
        door.execute("TRUNCATE TABLE indexer_checkpoints", name="tests.truncate")

        code, output = processes(jetstream.url).wait()

    assert code == 1
    assert "--from CURSOR" in output
    assert "--from-live" in output


def test_where_to_begin_is_saved_before_anything_is_written() -> None:
    """A kill before the first batch must not leave the checkpoint ahead of what the operator asked for."""
    stream = synthetic(events=60)
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=len(stream))
        index(jetstream.url, events=0, from_cursor=T0)

    for stored_checkpoint in (checkpoint_store.load_redis(), checkpoint_store.load_clickhouse()):
        saved = stored_checkpoint.checkpoint
        assert saved is not None
        assert (saved.cursor, saved.safe_cursor) == (T0, T0)


def test_a_first_run_that_was_killed_before_its_first_records_goes_on_from_where_it_began() -> None:
    stream = synthetic(events=60)  # older than START_HOURS
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=0, from_cursor=T0)
        index(jetstream.url, events=len(stream), from_cursor=None)

    assert stored() == fold(stream)


def test_a_dry_run_writes_nothing(valkey: redis.Redis) -> None:
    from tests.indexer.conftest import SMALL, configured

    stream = synthetic(events=100)
    options = service.Options(from_cursor=1, max_events=len(stream), dry_run=True, limits=SMALL)
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        assert service.run(configured(jetstream.url), options, service.Stop()).events == len(stream)

    assert stored() == Fold()
    assert valkey.keys() == []


def test_nothing_is_indexed_into_a_database_that_lacks_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.indexer.conftest import configured

    monkeypatch.setattr(service, "unapplied", lambda: ["indexer.0099_more", "feeds.0009_more"])
    said = "migrations are not applied: indexer.0099_more, feeds.0009_more. Run `./just migrate-up` first"
    stop = service.Stop()
    stop.ask()
    with pytest.raises(service.MigrationsMissing, match=f"^{re.escape(said)}$"):
        service.run(configured("ws://127.0.0.1:1/subscribe"), service.Options(), stop)
