"""Reads the numbers of the overview. atsite.dashboard.thresholds turns them into states."""

from __future__ import annotations

import shutil
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any, Final, cast

from django.db import close_old_connections, connections

from atsite import task_runs
from atsite.celery import BEAT, QUEUE, QUEUE_PREFIX, period_of
from atsite.core.clickhouse import door
from atsite.core.config import config
from atsite.core.kv import quick
from atsite.core.routers import DEFAULT
from atsite.dashboard import queries
from atsite.dashboard.concurrent_reads import CachedRead, ConcurrentReads
from atsite.dashboard.numbers import Cleanups, Disk, FeedUse, Numbers, Scheduled, Stream, Table
from feeds.models import FeedDefinition
from feeds.usage import counting
from indexer.index.checkpoint import Checkpoint
from indexer.index.queries import newest_checkpoint
from indexer.stream import checkpoint_store
from indexer.stream.state_reports import KEY, decoded
from search.cleanup.models import RepoCleanupJob
from search.cleanup.pause import pause_in_force
from search.cleanup.states import GRAPH, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: A store that answers later than this counts as unavailable, so that the page stays fast.
TIMEOUT_SECONDS: Final = 1.5
#: The window over which events per second are measured.
RATE_SECONDS: Final = 10.0
#: A clean-up that failed is worth a look for this long.
FAILED_SHOWN: Final = timedelta(days=7)
#: Seconds between reads: of values that change all the time, and of the others.
OFTEN, SOMETIMES = 0.9, 10.0


class Rate:
    """Events per second, from row counts and their times."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def of(self, rows: int, now: float) -> float | None:
        """The rate over RATE_SECONDS; None until there are two samples. 0 where merges and retention removed rows."""
        if not self._samples or now > self._samples[-1][0]:
            self._samples.append((now, rows))
        while now - self._samples[0][0] > RATE_SECONDS and len(self._samples) > 2:
            self._samples.popleft()
        (first, least), (last, most) = self._samples[0], self._samples[-1]
        return max(most - least, 0) / (last - first) if last > first else None


_rate = Rate()


@lru_cache(maxsize=1)
def _reads() -> ConcurrentReads:
    reads_by_name: Mapping[str, tuple[Callable[[], Any], float]] = {
        "ClickHouse": (_timed(lambda: door.scalar("SELECT 1", name="dashboard.ping", limits=queries.QUICK)), OFTEN),
        "Redis": (_timed(lambda: quick.ask(lambda client: client.ping(), insist=True)), OFTEN),
        "default": (_timed(_ping_default), OFTEN),
        "stream": (_stream, OFTEN),
        "connection": (lambda: decoded(quick.ask(lambda client: client.get(KEY))), OFTEN),
        "tables": (_tables, OFTEN),
        "queue": (_queue, OFTEN),
        "schedule": (_schedule, OFTEN),
        "gaps": (queries.gaps, SOMETIMES),
        "dead_letters": (queries.dead_letters, SOMETIMES),
        "feed_use": (_feed_use, OFTEN),
        "enabled_feeds": (_enabled_feeds, SOMETIMES),
        "cleanups": (_cleanups, SOMETIMES),
        "disk": (_disk, SOMETIMES),
        "clickhouse_disk": (lambda: queries.disk(pause_below=config.min_free_disk), SOMETIMES),
    }
    return ConcurrentReads({name: CachedRead(read, every) for name, (read, every) in reads_by_name.items()})


def numbers() -> Numbers:
    """The current values, within TIMEOUT_SECONDS."""
    values = _reads().values(timeout=TIMEOUT_SECONDS)
    rows_at: tuple[float, tuple[Table, ...]] | None = values["tables"]
    return Numbers(
        at=datetime.now(UTC),
        stores={name: values[name] for name in ("ClickHouse", "Redis", "default")},
        stream=values["stream"],
        connection=values["connection"],
        events_per_second=_events_per_second(rows_at),
        gaps=values["gaps"],
        dead_letters=values["dead_letters"],
        feed_use=values["feed_use"],
        enabled_feeds=values["enabled_feeds"],
        tables=None if rows_at is None else rows_at[1],
        disk=values["disk"],
        clickhouse_disk=values["clickhouse_disk"],
        queue=values["queue"],
        schedule=values["schedule"],
        cleanups=values["cleanups"],
        filtered=bool(config.wanted_dids or config.wanted_collections),
    )


def _events_per_second(rows_at: tuple[float, tuple[Table, ...]] | None) -> float | None:
    if rows_at is None:
        return None
    read_at, tables = rows_at
    return _rate.of(sum(table.rows for table in tables if table.name == "repo_records"), read_at)


def _timed(call: Callable[[], object]) -> Callable[[], float]:
    def milliseconds() -> float:
        started = perf_counter()
        call()
        return (perf_counter() - started) * 1000

    return milliseconds


def _ping_default() -> None:
    close_old_connections()  # this thread's connection may have been lost
    with connections[DEFAULT].cursor() as cursor:
        cursor.execute("SELECT 1")


def _enabled_feeds() -> int:
    close_old_connections()
    return FeedDefinition.objects.filter(enabled=True).count()


def _cleanups() -> Cleanups:
    close_old_connections()
    active = RepoCleanupJob.objects.filter(state__in=GRAPH.active).count()
    since = datetime.now(UTC) - FAILED_SHOWN
    failed = RepoCleanupJob.objects.filter(state=State.FAILED, finished_at__gte=since).count()
    pause = pause_in_force()
    if pause is None:
        return Cleanups(active, failed)
    return Cleanups(active, failed, pause.changed_at, pause.changed_by)


def _stream() -> Stream | None:
    """From Redis, which has the newest; from ClickHouse if Redis does not have it. Raises ClickHouseError."""
    checkpoint = _checkpoint_in_redis() or newest_checkpoint()
    if checkpoint is None:
        return Stream(None, None)
    return Stream(_moment(checkpoint.time_us), _moment(checkpoint.acked_at))


def _checkpoint_in_redis() -> Checkpoint | None:
    try:
        data = quick.ask(lambda client: client.get(checkpoint_store.KEY))
        return None if data is None else Checkpoint.decode(cast("bytes", data))
    except (quick.RedisAway, ValueError):
        return None


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)


def _tables() -> tuple[float, tuple[Table, ...]]:
    return monotonic(), queries.tables()


def _queue() -> int:
    return quick.ask(lambda client: client.llen(f"{QUEUE_PREFIX}{QUEUE}"))


def _schedule() -> tuple[Scheduled, ...]:
    last = task_runs.last_runs()
    return tuple(Scheduled(title, period_of(line), last.get(line["task"])) for title, line in BEAT.items())


def _feed_use() -> FeedUse:
    now = datetime.now(UTC)
    today = [row for row in counting.counted(now=now) if row.day == now.date()]
    return FeedUse(sum(row.requests for row in today), sum(row.interactions for row in today))


def _disk() -> Disk:
    """The disk of the data directory: SQLite and the embedded stores."""
    found = shutil.disk_usage(config.data_dir if config.data_dir.exists() else config.data_dir.anchor)
    return Disk(found.free, found.total, config.min_free_disk)
