"""The real network, recorded: table by table what plain Python makes of the file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from django.utils import timezone

from atsite.core import kv
from atsite.core.clickhouse import door
from indexer.index import purge
from indexer.simulator.serving.recorded_source import RecordedSource
from indexer.stream import checkpoint_store
from indexer.stream.batch import Limits
from tests.indexer import frames
from tests.indexer.conftest import index
from tests.indexer.frames import SECOND
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.stream_fold import Fold, all_rows, fold, stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import redis

    from tests.indexer.conftest import IndexerProcess

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),
]

FIRST_US = 1_742_830_646_413_000
TABLES = (
    "posts", "likes", "reposts", "follows", "blocks", "actor_identities", "identity_changes", "actor_accounts",
    "repo_floors",
)  # fmt: skip


def lines(file: Path) -> list[bytes]:
    return file.read_bytes().splitlines()


@pytest.mark.parametrize("name", ["golden_v1", "expected_v1"])
def test_the_captured_events_fold_to_what_plain_python_makes_of_them(name: str, shared_data: Path) -> None:
    stream = lines(shared_data / "jetstream" / f"{name}.jsonl")

    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=len(stream))

    assert stored() == fold(stream)
    assert door.scalar("SELECT count() FROM dead_letters", name="tests.dead") == 0


@pytest.mark.parametrize("seconds", [5, -5])
def test_another_host_leaves_the_same_rows_of_the_captured_events(seconds: int, shared_data: Path) -> None:
    stream = lines(shared_data / "jetstream" / "expected_v1.jsonl")
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        index(jetstream.url, events=len(stream))
    before = {table: all_rows(table) for table in TABLES}

    with simulated_jetstream(MemorySource([frames.moved(line, seconds * SECOND) for line in stream])) as other:
        index(other.url, events=len(stream))

    assert {table: all_rows(table) for table in TABLES} == before


@pytest.fixture(scope="module")
def ten_minutes(shared_data: Path) -> Path:
    return shared_data / "jetstream" / "firehose-10min.jsonl.zst"


def frames_of(file: Path) -> io.BufferedReader:
    return io.BufferedReader(zstandard.open(file, "rb"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_recorded_ten_minutes_are_in_the_tables_to_the_last_row(ten_minutes: Path) -> None:
    with simulated_jetstream(RecordedSource(ten_minutes)) as jetstream:
        index(jetstream.url, events=371_500, from_cursor=FIRST_US, limits=Limits())

    purge.purge_dead(now=timezone.now())
    assert differences(stored(), fold(frames_of(ten_minutes))) == {}
    assert door.scalar("SELECT count() FROM stream_gaps", name="tests.gaps") == 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_they_are_there_as_well_when_the_indexer_is_killed_three_times_on_the_way(
    ten_minutes: Path, processes: Callable[..., IndexerProcess], valkey: redis.Redis
) -> None:
    # Thirty times as fast as it happened: read at once, all of it would fit between two checkpoints.
    with simulated_jetstream(RecordedSource(ten_minutes, speed=30)) as jetstream:
        for number in range(3):
            process = processes(jetstream.url, *(["--from", str(FIRST_US)] if number == 0 else []))
            before = max(cursor(), FIRST_US)  # the place to begin is a checkpoint, too
            process.until(lambda before=before: cursor() > before, "another checkpoint")  # type: ignore[misc]
            process.kill()
            valkey.delete(f"{kv.PREFIX}lease:indexer")  # instead of waiting until it runs out
        process = processes(jetstream.url)
        last_us = max(int(line.partition(b'"time_us":')[2].partition(b",")[0]) for line in frames_of(ten_minutes))
        process.until(lambda: cursor() == last_us, "everything is durable")
        code, output = process.terminate()

    assert code == 0, output
    purge.purge_dead(now=timezone.now())
    assert differences(stored(), fold(frames_of(ten_minutes))) == {}
    assert door.scalar("SELECT count() FROM stream_gaps", name="tests.gaps") == 0


def differences(stored: Fold, folded: Fold) -> dict[str, list[object]]:
    """What differs, table by table, a few of each: the whole would fill the screen a thousand times."""
    pairs: dict[str, tuple[dict[Any, Any], dict[Any, Any]]] = {
        **{table: (stored.records[table], folded.records[table]) for table in folded.records},
        "handles": (stored.handles, folded.handles),
        "changes": (stored.changes, folded.changes),
        "accounts": (stored.accounts, folded.accounts),
    }
    found = {}
    for table, (one, other) in pairs.items():
        keys = [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]
        if keys:
            found[table] = [len(keys), *((key, one.get(key), other.get(key)) for key in keys[:3])]
    return found


def cursor() -> int:
    saved = checkpoint_store.load_redis().checkpoint
    return saved.cursor if saved is not None else 0
