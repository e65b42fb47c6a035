"""The values that the overview shows. A part is None while its store is unavailable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from atsite.task_runs import Run
    from indexer.index.stream_state import StreamState


@dataclass(frozen=True, slots=True)
class Stream:
    """The indexer's progress: the time of the last durable event, and when it was acknowledged. None: never."""

    reached: datetime | None
    acked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """Gaps of the stream that a host could not replay, noticed in the last week."""

    count: int
    newest: datetime | None
    missing_seconds: int


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Events that could not be indexed: all, and those of the last day."""

    count: int
    last_day: int


@dataclass(frozen=True, slots=True)
class FeedUse:
    """Use of the feed generator today (UTC)."""

    requests: int
    interactions: int


@dataclass(frozen=True, slots=True)
class Table:
    """One table of ClickHouse."""

    name: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Disk:
    """Free and total bytes of a disk, and the bytes below which the indexer pauses."""

    free: int
    whole: int
    pause_below: int


@dataclass(frozen=True, slots=True)
class Cleanups:
    """Clean-ups that have not ended, those that failed in the last week, and the pause of all, if there is one."""

    active: int
    failed: int
    paused_since: datetime | None = None
    paused_by: str = ""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """An entry of the beat schedule and the last run of its task."""

    title: str
    period: timedelta
    last: Run | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """All values at one moment. `stores`: milliseconds until each answered, None for an unavailable one."""

    at: datetime
    stores: Mapping[str, float | None]
    stream: Stream | None
    events_per_second: float | None
    gaps: Gaps | None
    dead_letters: DeadLetters | None
    feed_use: FeedUse | None
    enabled_feeds: int | None
    tables: tuple[Table, ...] | None
    disk: Disk | None
    clickhouse_disk: Disk | None
    queue: int | None
    schedule: tuple[Scheduled, ...] | None
    cleanups: Cleanups | None
    #: Only some of the network is indexed (WANTED_*), so a quiet stream is normal.
    filtered: bool
    #: What the indexer says of its connection; None without Redis, or before the first start.
    connection: StreamState | None = None
