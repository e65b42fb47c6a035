"""The checkpoint behind the acknowledgement, and a queue that is bounded. The batches' rows are no matter here."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY

from indexer.index.checkpoint import Progress
from indexer.stream import writer as writer_module
from indexer.stream.batch import Batch, Batcher, Limits
from indexer.stream.jetstream import Chunk
from indexer.stream.pipeline import Pipeline
from indexer.stream.sink import GaveUp
from indexer.stream.writer import Writer
from tests.indexer import frames
from tests.indexer.conftest import PATIENCE
from tests.indexer.frames import SECOND, T0
from tests.waiting import until

if TYPE_CHECKING:
    from indexer.index.checkpoint import Checkpoint


class Journal:
    """A sink and a checkpoint store that write down what is done, and fail or wait as told."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.done: list[tuple[str, int]] = []
        self.fails_at = fails_at
        self.open = threading.Event()
        self.open.set()

    def write(self, batch: Batch) -> None:
        assert self.open.wait(PATIENCE)
        if batch.cursor == self.fails_at:
            raise RuntimeError("broken")
        self.done.append(("write", batch.cursor))

    def save(self, checkpoint: Checkpoint) -> None:
        self.done.append(("save", checkpoint.cursor))


class Frames:
    """A stream of given frames, one read after the other; then silence."""

    def __init__(self, *chunks: list[bytes]) -> None:
        self.chunks = list(chunks)
        self.closed = False

    def read(self) -> Chunk:
        return Chunk(self.chunks.pop(0)) if self.chunks else Chunk()

    def seen(self, position_us: int, plausible_us: int = 0) -> None: ...

    def close(self) -> None:
        self.closed = True


def writer(journal: Journal, *, queue_bytes: int = 10**9) -> Writer:
    progress = Progress(host="host", safe_cursor=0)
    return Writer(journal, journal, progress, queue_bytes=queue_bytes, now_us=lambda: T0)


def batch(cursor: int, size: int = 1) -> Batch:
    return Batch(events=1, cursor=cursor, bytes=size)


def event(number: int) -> bytes:
    return frames.account(frames.did(number), active=True, at=T0 + number * SECOND, seen=number)


def test_what_waits_and_what_is_durable_is_told() -> None:
    journal = Journal()
    journal.open.clear()
    behind, flushed = writer(journal), sample("flush_seconds_count")
    behind.put(batch(1, size=5))
    until(lambda: sample("queue_bytes") == 0, "the first is being written")
    behind.put(batch(2, size=7))
    behind.put(batch(3, size=9))
    assert sample("queue_bytes") == 16
    assert sample("flush_seconds_count") == flushed
    journal.open.set()
    behind.finish()
    assert [sample(name) for name in ("queue_bytes", "cursor_us", "clock_skew_seconds")] == [0, 3, 0]
    assert sample("flush_seconds_count") - flushed == 3


def test_how_far_the_events_are_ahead_is_told_in_seconds() -> None:
    behind = writer(Journal())
    behind.put(Batch(events=1, cursor=2, bytes=7, skew_us=2_500_000))
    behind.finish()
    assert sample("clock_skew_seconds") == 2.5


def sample(name: str) -> float:
    return REGISTRY.get_sample_value(f"indexer_{name}") or 0


def test_each_checkpoint_follows_the_write_of_its_batch() -> None:
    journal = Journal()
    behind = writer(journal)
    for cursor in (1, 2, 3):
        behind.put(batch(cursor))
    behind.finish()

    assert journal.done == [(step, cursor) for cursor in (1, 2, 3) for step in ("write", "save")]


def test_a_batch_that_cannot_be_written_has_no_checkpoint_and_nothing_follows_it() -> None:
    journal = Journal(fails_at=2)
    journal.open.clear()
    behind = writer(journal)
    for cursor in (1, 2, 3):
        behind.put(batch(cursor))
    journal.open.set()

    with pytest.raises(RuntimeError, match="broken"):
        behind.finish()
    with pytest.raises(RuntimeError, match="broken"):
        behind.put(batch(4))
    assert journal.done == [("write", 1), ("save", 1)]


def test_a_batch_without_a_time_moves_no_checkpoint() -> None:
    journal = Journal()
    behind = writer(journal)
    behind.put(Batch(events=1))
    behind.finish()

    assert journal.done == [("write", 0)]


def test_putting_waits_while_the_queue_is_full_and_goes_on_when_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "POLL_SECONDS", 1000.0)  # it is woken, and does not have to look again
    journal = Journal()
    journal.open.clear()
    behind = writer(journal, queue_bytes=10)
    put: list[int] = []

    def read_on() -> None:
        for cursor in range(1, 7):
            behind.put(batch(cursor, size=4))
            put.append(cursor)

    reading = threading.Thread(target=read_on, daemon=True)
    reading.start()
    until(lambda: len(put) == 3, "one being written, two in the queue")
    reading.join(0.2)
    assert put == [1, 2, 3]

    journal.open.set()
    reading.join(PATIENCE)
    assert not reading.is_alive()
    behind.finish()

    assert [cursor for step, cursor in journal.done if step == "write"] == [1, 2, 3, 4, 5, 6]


def test_a_batch_larger_than_the_queue_passes_an_empty_one() -> None:
    journal = Journal()
    behind = writer(journal, queue_bytes=10)
    behind.put(batch(1, size=99))
    behind.finish()

    assert journal.done == [("write", 1), ("save", 1)]


def run(chunks: list[list[bytes]], journal: Journal, *, rows: int = 3, max_events: int | None = None) -> int:
    source = Frames(*chunks)
    pipeline = Pipeline(
        source,
        Batcher(Limits(rows=rows, age=PATIENCE)),
        writer(journal),
        lambda: T0,
        filtered=False,
        lookback_hours=36,
    )
    report = pipeline.run(lambda: not source.chunks, max_events=max_events)
    assert source.closed
    return report.events


def test_batches_are_cut_at_their_size_and_the_rest_is_flushed_at_the_end() -> None:
    journal = Journal()

    assert run([[event(n) for n in range(1, 9)]], journal) == 8

    assert [cursor for step, cursor in journal.done if step == "save"] == [3, 6, 8]


def test_no_more_events_are_taken_than_asked_for() -> None:
    journal = Journal()

    assert run([[event(n) for n in range(1, 9)]], journal, max_events=5) == 5

    assert journal.done[-1] == ("save", 5)


def test_a_broken_sink_ends_the_run() -> None:
    journal = Journal(fails_at=3)

    with pytest.raises(RuntimeError, match="broken"):
        run([[event(n) for n in range(1, 9)]], journal)

    assert journal.done == []


def test_a_full_queue_and_an_end_wait_no_longer_than_a_stop_allows() -> None:
    journal = Journal()
    journal.open.clear()
    deadline: list[float] = []
    progress = Progress(host="host", safe_cursor=0)
    behind = Writer(
        journal, journal, progress, queue_bytes=1, now_us=lambda: T0, deadline=lambda: deadline[0] if deadline else None
    )
    for cursor in (1, 2):
        behind.put(batch(cursor))
    deadline.append(time.monotonic() + 0.2)

    with pytest.raises(GaveUp, match="the checkpoint stays"):
        behind.put(batch(3))
    with pytest.raises(GaveUp, match="the checkpoint stays"):
        behind.finish()
    assert journal.done == []
    journal.open.set()
