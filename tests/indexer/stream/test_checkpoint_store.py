from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.clickhouse import door
from atsite.core.clock import now_us
from indexer.index import queries, records
from indexer.index.checkpoint import PROTOCOL, Checkpoint
from indexer.stream import checkpoint_store, metrics, service
from tests.away import redis_away
from tests.indexer import frames
from tests.indexer.conftest import index
from tests.indexer.frames import MINUTE, SECOND
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),
]


HOST = "jetstream.example.com"


def save(*rows: tuple[int, int, int, str]) -> int:
    """Checkpoints: seconds ago, cursor, safe cursor, host; the moment they count from (unix microseconds)."""
    now = now_us()
    for ago, cursor, safe_cursor, host in rows:
        checkpoint = Checkpoint(
            host=host,
            protocol=PROTOCOL,
            cursor=cursor,
            time_us=cursor,
            safe_cursor=safe_cursor,
            acked_at=now - ago * SECOND,
        )
        door.insert("indexer_checkpoints", records.indexer_checkpoints(checkpoint), name="tests.checkpoint")
    return now


@pytest.mark.parametrize(
    ("rows", "cursor"),
    [
        ([], None),
        ([(50, 7, 5, HOST), (0, 9, 5, HOST)], None),
        ([(120, 3, 1, HOST), (70, 5, 1, HOST), (50, 7, 1, HOST), (0, 9, 1, HOST)], 5),
        ([(120, 3, 1, HOST), (60, 5, 1, HOST), (59, 7, 1, HOST), (0, 9, 1, HOST)], 5),
        ([(120, 3, 1, HOST), (70, 5, 1, "other"), (0, 9, 1, HOST)], 3),
        ([(120, 300, 1, HOST), (30, 20, 20, HOST), (0, 90, 20, HOST)], 20),
        ([(40, 3, 3, HOST), (30, 20, 20, HOST), (0, 90, 20, HOST)], 20),
    ],
    ids=[
        "none",
        "none so old",
        "the newest so old",
        "exactly so old",
        "of this host",
        "begun earlier since",
        "begun later since",
    ],
)
def test_the_safe_cursor_is_that_of_the_newest_checkpoint_older_than_a_minute(
    rows: Sequence[tuple[int, int, int, str]], cursor: int | None
) -> None:
    now = save(*rows)

    assert queries.cursor_before(now - MINUTE, host=HOST) == cursor
    if rows:
        assert checkpoint_store.load_clickhouse().safe_cursor == cursor


def test_without_redis_a_checkpoint_is_in_clickhouse_alone_and_that_is_counted() -> None:
    checkpoint = Checkpoint(HOST, PROTOCOL, cursor=3, time_us=2, safe_cursor=1, acked_at=now_us())
    kept: list[tuple[str, object]] = []
    store = checkpoint_store.CheckpointStore(lambda table, columns: kept.append((table, columns)))
    failures = metrics.REDIS_FAILURES._value.get()
    with redis_away():
        store.save(checkpoint)
    assert metrics.REDIS_FAILURES._value.get() - failures == 1
    assert checkpoint_store.load_redis().checkpoint is None
    store.save(checkpoint)
    assert metrics.REDIS_FAILURES._value.get() - failures == 1
    assert checkpoint_store.load_redis().checkpoint == checkpoint
    assert kept == [("indexer_checkpoints", records.indexer_checkpoints(checkpoint))] * 2


def test_an_indexer_that_dies_more_often_than_once_a_minute_gets_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each life takes in the next two minutes of the stream and ends 40 seconds after it began."""
    clock = now_us() - 60 * MINUTE
    begin = clock - 120 * MINUTE
    stream = [frames.post(frames.did(n), "3mmoojp7etg2g", "x", at=begin + n * SECOND) for n in range(3000)]
    with simulated_jetstream(MemorySource(stream)) as jetstream:
        for life in range(8):
            monkeypatch.setattr(service, "now_us", lambda at=clock + life * 40 * SECOND: at)
            index(jetstream.url, events=360, from_cursor=begin if life == 0 else None)
        asked = [int(request.rpartition("cursor=")[2]) for request in jetstream.server.requests]

    assert asked == sorted(asked)
    assert asked[-1] - begin > 5 * MINUTE
