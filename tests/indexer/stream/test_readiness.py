"""When /readyz of the indexer says that it is not ready, and why."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from atsite.core.telemetry import Health
from indexer.index.checkpoint import Progress
from indexer.index.stream_state import Condition, StreamState
from indexer.stream.batch import Batch
from indexer.stream.service import health
from indexer.stream.writer import Writer
from tests.waiting import until

if TYPE_CHECKING:
    from indexer.stream.jetstream import Jetstream

HOST = "jetstream.example"


def judged(condition: Condition, *, reason: str = "", silent_for: float = 0.0) -> Health:
    """What /readyz says of a stream that began this condition at noon on 1 May 2026."""
    state = StreamState(HOST, condition, since=1_777_636_800.0, reason=reason)
    source, writer = SimpleNamespace(state=lambda: state), SimpleNamespace(silent_for=lambda: silent_for)
    return health(cast("Jetstream", source), cast("Writer", writer))


@pytest.mark.parametrize("condition", [Condition.STREAMING, Condition.QUIET])
def test_an_indexer_that_receives_or_asks_for_little_is_ready(condition: Condition) -> None:
    assert judged(condition) == Health(ok=True, reasons=())


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        (Condition.SILENT, f"{HOST} is connected, but has sent no event since 2026-05-01 12:00 UTC"),
        (Condition.LOST, f"no connection to {HOST} since 2026-05-01 12:00 UTC: it refuses connections"),
        (Condition.CONNECTING, f"connecting to {HOST} since 2026-05-01 12:00 UTC"),
        (Condition.STOPPED, f"the indexer of {HOST} stopped at 2026-05-01 12:00 UTC: it refuses connections"),
    ],
)
def test_an_indexer_without_events_is_not_ready_and_says_since_when(condition: Condition, reason: str) -> None:
    assert judged(condition, reason="it refuses connections") == Health(ok=False, reasons=(reason,))


def test_an_indexer_whose_rows_wait_for_more_than_a_minute_is_not_ready() -> None:
    assert judged(Condition.STREAMING, silent_for=60.0) == Health(ok=True, reasons=())
    late = Health(ok=False, reasons=("nothing written for 60 s",))
    assert judged(Condition.STREAMING, silent_for=60.1) == late


def test_a_writer_is_silent_from_the_first_batch_that_waits_and_not_from_its_last_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A quiet hour before the batch counts for nothing."""
    now, accepts = [1_000.0], threading.Event()
    monkeypatch.setattr("indexer.stream.writer.time", SimpleNamespace(monotonic=lambda: now[0]))
    sink = SimpleNamespace(write=lambda batch: accepts.wait(60))
    writer = Writer(
        cast("Any", sink), cast("Any", SimpleNamespace()), Progress(host=HOST, safe_cursor=0), now_us=lambda: 1
    )
    now[0] += 3_600
    assert writer.silent_for() == 0
    writer.put(Batch(events=1, bytes=1))
    now[0] += 61
    assert writer.silent_for() == 61
    accepts.set()
    until(lambda: writer.idle)
    assert writer.silent_for() == 0
    writer.finish()
