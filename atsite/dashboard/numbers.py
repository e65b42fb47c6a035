"""What the overview shows, as plain values. A part is None while its store is away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from atsite.runs import Run


@dataclass(frozen=True, slots=True)
class Stream:
    """How far the indexer is: the time of the last event that is durable, and when it was. None: never."""

    reached: datetime | None
    acked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """Stretches that a host could not replay, noticed in the last week."""

    count: int
    newest: datetime | None
    missing_seconds: int


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Events that could not be indexed: all that there are, and those of the last day."""

    count: int
    last_day: int


@dataclass(frozen=True, slots=True)
class FeedUse:
    """What was asked of the feed generator today (UTC)."""

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
    """Free and whole bytes of a disk, and the bytes below which the indexer pauses."""

    free: int
    whole: int
    pause_below: int


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A line of the beat table and the last run of its task."""

    title: str
    period: timedelta
    last: Run | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """All of it at one moment. `stores` are milliseconds until each answered, None for one that is away."""

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
    #: Only some of the network is indexed (WANTED_*): there a quiet stream is nothing odd.
    filtered: bool
