"""The indexer's metrics. Label values come from enums and from COLLECTIONS, so untrusted input cannot add new ones."""

from __future__ import annotations

import time
from collections import Counter as Tally
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from indexer.stream.batch import Batch

#: The collections the schema derives tables from; every other one is counted as OTHER.
COLLECTIONS: Final = frozenset(
    (
        "app.bsky.actor.profile",
        "app.bsky.feed.like",
        "app.bsky.feed.post",
        "app.bsky.feed.repost",
        "app.bsky.graph.block",
        "app.bsky.graph.follow",
    )
)
OTHER: Final = "other"

EVENTS = Counter("indexer_events", "Events stored durably", ["collection", "operation"])
SKIPPED = Counter("indexer_skipped", "Events skipped on purpose", ["reason"])
DEAD = Counter("indexer_dead", "Events stored as dead letters", ["reason"])
BATCH_ROWS = Histogram(
    "indexer_batch_rows",
    "Frames per batch",
    buckets=(1, 10, 100, 1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 200_000),
)
FLUSH_SECONDS = Histogram("indexer_flush_seconds", "Time from taking a batch to its checkpoint")
LAG_SECONDS = Gauge("indexer_lag_seconds", "Age of the newest durable event at the time of the scrape")
SILENT_SECONDS = Gauge(
    "indexer_silent_seconds", "Seconds since the last event from the host, or since the connection was opened"
)
CLOCK_SKEW_SECONDS = Gauge(
    "indexer_clock_skew_seconds", "How many seconds the events are ahead of this machine's clock"
)
CURSOR = Gauge("indexer_cursor_us", "Cursor of the last checkpoint, unix microseconds")
QUEUE_BYTES = Gauge("indexer_queue_bytes", "Bytes of frames waiting for ClickHouse")
CONNECTIONS = Counter("indexer_connections", "Connections opened to the host")
RECONNECTS = Counter("indexer_reconnects", "Connections lost or refused")
GAPS = Counter("indexer_gaps", "Gaps of the stream that were recorded", ["reason"])
RETRIES = Counter("indexer_insert_retries", "Inserts sent again after a retryable error", ["table"])
PAUSED = Gauge("indexer_paused", "1 while inserts wait for ClickHouse or for free disk space", ["cause"])
REDIS_FAILURES = Counter("indexer_checkpoint_redis_failures", "Checkpoints that could not be written to Redis")
FLOORS_HELD = Gauge("indexer_floors_held", "Floors held in memory to compare events with")


def stored_up_to(time_us: int) -> None:
    """Set the time (unix microseconds) from which the lag counts."""
    LAG_SECONDS.set_function(lambda: max(0.0, time.time() - time_us / 1_000_000))


def count(batch: Batch) -> None:
    """Count a batch that is durable."""
    records = Tally(map(attrgetter("collection", "operation"), batch.records))
    for (collection, operation), number in records.items():
        label = collection if collection in COLLECTIONS else OTHER
        EVENTS.labels(collection=label, operation=operation).inc(number)
    EVENTS.labels(collection="identity", operation="update").inc(len(batch.identities))
    EVENTS.labels(collection="account", operation="update").inc(len(batch.accounts))
    for reason, number in batch.skipped.items():
        SKIPPED.labels(reason=reason).inc(number)
    for fault, number in Tally([dead.reason for dead in batch.dead]).items():
        DEAD.labels(reason=fault).inc(number)
    for gap in batch.gaps:
        GAPS.labels(reason=gap.reason).inc()
    BATCH_ROWS.observe(batch.events)
