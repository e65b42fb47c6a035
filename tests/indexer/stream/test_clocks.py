"""Clocks that are off, of the host and of this machine: nothing is missing, and what may be is told where it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.clock import HOUR_US
from indexer.stream import backoff, checkpoint_store, service
from indexer.stream import position as position_module
from indexer.stream.position import AGREE_EVENTS
from tests.indexer import frames
from tests.indexer.frames import SECOND, T0
from tests.indexer.running import running
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.stream_fold import _rows as rows_of
from tests.indexer.stream_fold import fold, stored
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from indexer.simulator.serving.event_source import Batch

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),
]

DAY = 24 * HOUR_US
STEP = SECOND // 4


class Host(MemorySource):
    """A host that answers a cursor from its future with the live tail, as the real ones do."""

    now_us = T0

    def stream(self, cursor: int | None, clock: Callable[[], int]) -> Iterator[Batch]:
        return super().stream(None if cursor is not None and cursor > self.now_us else cursor, clock)


class LocalClock:
    """This machine's clock, as the indexer sees it."""

    us = T0

    def __call__(self) -> int:
        return self.us


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> LocalClock:
    clock = LocalClock()
    monkeypatch.setattr(service, "now_us", clock)
    monkeypatch.setattr(backoff, "BACKOFF_FIRST", 0.5)
    return clock


def events(first: int, number: int, *, off_us: int = 0) -> list[bytes]:
    """An event each STEP; the host says times that are off by `off_us`."""
    return [
        frames.account(frames.did(n), active=True, at=T0 + n * STEP, seen=T0 + n * STEP + off_us)
        for n in range(first, first + number)
    ]


def gaps() -> list[tuple[object, ...]]:
    return rows_of("SELECT from_us, to_us, reason FROM stream_gaps FINAL ORDER BY from_us")


def saved() -> tuple[int, int]:
    """Cursor and time of the checkpoint in Redis: in ClickHouse one of that long ago is past its TTL."""
    checkpoint = checkpoint_store.load_redis().checkpoint
    return (0, 0) if checkpoint is None else (checkpoint.cursor, checkpoint.time_us)


def there(stream: list[bytes]) -> Callable[[], bool]:
    return lambda: stored().accounts == fold(stream).accounts


def test_one_event_a_day_ahead_of_its_neighbours_loses_nothing_at_the_next_reconnect(local: LocalClock) -> None:
    glitch = events(100, 1, off_us=DAY)
    before, missed = [*events(0, 100), *glitch], events(101, 300)
    host = Host(before)
    host.now_us = local.us = T0 + 500 * STEP
    with simulated_jetstream(host) as jetstream, running(jetstream.url, from_cursor=T0):
        until(there(before), "the events before")
        until(lambda: saved() == (T0 + 99 * STEP,) * 2, "a checkpoint at the last plausible time")
        jetstream.call(jetstream.server.drop_connections)
        host.lines += missed
        until(there([*before, *missed]), "the events that were sent while the connection was away")

    assert gaps() == []
    assert saved() == (T0 + 400 * STEP,) * 2


def test_a_whole_host_a_day_ahead_is_followed_and_the_gap_begins_at_the_last_plausible_time(local: LocalClock) -> None:
    right, ahead = events(0, 50), events(50, 2 * AGREE_EVENTS, off_us=DAY)
    host = Host(right)
    local.us = T0 + 300 * STEP
    host.now_us = local.us + DAY
    with simulated_jetstream(host) as jetstream, running(jetstream.url, from_cursor=T0):
        until(there(right), "the host's right events")
        host.lines += ahead
        until(there([*right, *ahead]), "the events ahead")
        until(lambda: saved() == (T0 + 249 * STEP + DAY, T0 + 49 * STEP), "a checkpoint that says both times")
        jetstream.call(jetstream.server.drop_connections)
        again = events(250, 5, off_us=DAY)
        host.lines += again
        until(there([*right, *ahead, *again]), "the host goes on where it was")
        assert gaps() == []

        host.now_us = local.us = T0 + 400 * STEP  # the host gets its clock right
        jetstream.call(jetstream.server.drop_connections)
        until(lambda: len(jetstream.server.requests) == 3, "connected to the live stream")
        until(lambda: any(each.streaming for each in list(jetstream.server.connections)), "its place is taken")
        late = events(400, 5)
        host.lines += late
        until(there([*right, *ahead, *again, *late]), "the events at the right time")

    assert gaps() == [(T0 + 49 * STEP, T0 + 400 * STEP, "future_cursor")]
    assert saved() == (T0 + 404 * STEP,) * 2


def test_a_local_clock_six_hours_slow_stops_no_cursor(local: LocalClock) -> None:
    stream = [*events(0, 2 * AGREE_EVENTS), frames.post(frames.did(1), "3mmoojp7etg2g", "a record", at=T0)]
    host = Host(stream)
    host.now_us = T0 + 500 * STEP
    local.us = T0 - 6 * HOUR_US
    with simulated_jetstream(host) as jetstream:
        with running(jetstream.url, from_cursor=T0 - 7 * HOUR_US):
            until(there(stream), "everything")
            until(lambda: saved()[0] == T0 + 199 * STEP, "a checkpoint at the newest event")
            more = events(200, 2)
            host.lines += more
            until(there([*stream, *more]), "two more")
            until(lambda: saved()[0] == T0 + 201 * STEP, "a checkpoint with each event")
        found = gaps()
        with running(jetstream.url, from_cursor=None):  # the next start goes on from there
            until(lambda: len(jetstream.server.requests) == 2, "connected again")

    cursor = int(jetstream.server.requests[-1].rpartition("cursor=")[2])
    assert T0 - 7 * HOUR_US <= cursor <= T0 + 201 * STEP
    assert found == gaps() == [(T0 - 7 * HOUR_US, T0, "clamped")]


def test_a_filtered_stream_with_one_event_an_hour_of_which_one_is_a_day_ahead_loses_nothing(
    local: LocalClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(position_module, "AGREE_SECONDS", 0.0)  # an hour is always longer
    hourly = [
        frames.account(frames.did(n), active=True, at=T0 + n * HOUR_US, seen=T0 + (n + 24 * (n == 3)) * HOUR_US)
        for n in range(7)
    ]
    host = Host()
    with (
        simulated_jetstream(host) as jetstream,
        running(jetstream.url, from_cursor=T0, wanted_collections=("app.bsky.feed.post",)),
    ):
        for number, event in enumerate(hourly):
            host.now_us = local.us = T0 + number * HOUR_US
            host.lines.append(event)
            until(there(hourly[: number + 1]), f"the event of hour {number}")
            expected = T0 + (number if number != 3 else 2) * HOUR_US
            until(lambda expected=expected: saved() == (expected, expected), f"its checkpoint, hour {number}")  # type: ignore[misc]
            jetstream.call(jetstream.server.drop_connections)

    assert gaps() == []
