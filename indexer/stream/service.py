"""Builds the indexer from the site's configuration, and runs it."""

from __future__ import annotations

import gc
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core.clock import now_us
from atsite.core.errors import AtsiteError
from atsite.core.telemetry import Health, start_metrics
from indexer.index import checkpoint, queries
from indexer.index.checkpoint import Progress, Start
from indexer.index.do_not_index import current_exclusions
from indexer.index.floors import Floors, held_from
from indexer.index.indexer_lease import SingleIndexer
from indexer.index.migration_state import unapplied
from indexer.index.stream_state import Condition
from indexer.stream import metrics
from indexer.stream.batch import Batcher, Limits
from indexer.stream.checkpoint_store import CheckpointStore, load_clickhouse, load_redis
from indexer.stream.jetstream import Jetstream, host_of
from indexer.stream.pipeline import Pipeline, Report
from indexer.stream.position import AHEAD_US, Position
from indexer.stream.sink import Sink, disk_is_low, sleep_until
from indexer.stream.start_options import check_cursor
from indexer.stream.state_reports import StateReports
from indexer.stream.subscription import WantedBatcher, watched
from indexer.stream.writer import Writer

if TYPE_CHECKING:
    from atsite.core.config import Config
    from indexer.index.checkpoint import Checkpoint
    from indexer.stream.batch import Batch
    from indexer.stream.subscription import Wanted
    from indexer.stream.writer import BatchSink, Checkpoints

log = structlog.get_logger(__name__)

#: Seconds that a stop waits for ClickHouse to accept the last batches; then the lease and the threads are released,
#: and at stopping.HARD_END the process ends.
FINAL_FLUSH: Final = 6.0
#: Seconds without an acknowledgement, with rows waiting, after which /readyz answers 503.
READY_SILENCE: Final = 60.0


class MigrationsMissing(AtsiteError):
    """The schema is not what this code writes to."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator asked for. `limits` is for tests and benchmarks."""

    from_cursor: int | None = None
    from_live: bool = False
    max_events: int | None = None
    run_for: float | None = None
    dry_run: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(slots=True)
class Stop:
    """Asks a run to end: by `ask`, from a signal (indexer.stream.stopping), or by the clock."""

    ends_at: float | None = None
    asked_at: float | None = None

    def ask(self) -> None:
        if self.asked_at is None:
            self.asked_at = time.monotonic()

    def asked(self) -> bool:
        if self.asked_at is None and self.ends_at is not None and time.monotonic() >= self.ends_at:
            self.ask()
        return self.asked_at is not None

    def deadline(self) -> float | None:
        """When the last batches must be written (monotonic seconds); None until a stop is asked for."""
        return None if self.asked_at is None else self.asked_at + FINAL_FLUSH


def run(config: Config, options: Options, stop: Stop) -> Report:
    """Index until told to stop.

    Raises DatabaseAway, MigrationsMissing, LeaseHeld, CheckpointUnreadable, CursorUnusable, NoStream, StreamUnreadable,
    Undecidable, SinkBroken, GaveUp or ClickHouseError: each says what to do.
    """
    missing = unapplied()
    if missing:
        raise MigrationsMissing(f"migrations are not applied: {', '.join(missing)}. Run `./just migrate-up` first")
    with ExitStack() as stack:
        single = None if options.dry_run else stack.enter_context(SingleIndexer().held())
        start = resolve_start(config, options)
        for warning in start.warnings:
            log.warning(warning)
        if options.run_for is not None:
            stop.ends_at = time.monotonic() + options.run_for
        wanted = stack.enter_context(watched(config.wanted_dids, telling=not options.dry_run))
        source = _source(config, start, wanted)
        if not options.dry_run:
            stack.enter_context(StateReports(source.state))
        writer = _writer(config, options, start, stop)
        if config.metrics_port:
            server = start_metrics(config.metrics_port, health=lambda: health(source, writer))
            stack.callback(server.stop)
        excluded = stack.enter_context(current_exclusions())
        pipeline = Pipeline(
            source,
            _batcher(config, options, start, wanted),
            writer,
            now_us,
            filtered=_is_filtered(config),
            lookback_hours=config.jetstream_lookback_hours,
            excluded=lambda: excluded.dids,
        )

        def must_stop() -> bool:
            if single is not None:
                single.check()
            return stop.asked()

        gc.freeze()  # keeps imported objects out of every garbage collection while events stream by
        log.info("indexing", host=host_of(config.ws_url), cursor=start.cursor, dry_run=options.dry_run)
        return pipeline.run(must_stop, max_events=options.max_events)


def _is_filtered(config: Config) -> bool:
    """Whether the host is asked for only a part of the network."""
    return bool(config.wanted_collections or config.wanted_dids)


def _source(config: Config, start: Start, wanted: Wanted | None) -> Jetstream:
    """The stream from `start` on, with its metrics set before the first batch."""
    if start.cursor is not None and start.cursor > now_us() + AHEAD_US:
        log.warning("the checkpoint is ahead of this machine's clock: set the clock (NTP), if it is slow")
    source = Jetstream(
        config.ws_url,
        start,
        collections=config.wanted_collections,
        wanted=wanted,
        filtered=_is_filtered(config),
    )
    metrics.SILENT_SECONDS.set_function(source.silent_for)
    metrics.stored_up_to(start.durable_us)
    return source


def resolve_start(config: Config, options: Options) -> Start:
    """Where to begin: the rules of indexer.index.checkpoint. Raises CheckpointUnreadable, CursorUnusable."""
    if options.from_cursor is not None:
        check_cursor(options.from_cursor, now_us())
        return checkpoint.start_from(options.from_cursor)
    if options.from_live:
        return checkpoint.start_live(now_us())
    stored = load_clickhouse()
    if stored.checkpoint is None and not queries.has_records():
        return checkpoint.first_start(now_us(), config.start_hours)
    return checkpoint.resume(load_redis(), stored, host=host_of(config.ws_url))


def health(source: Jetstream, writer: Writer) -> Health:
    """Ready means connected, receiving events, and writing them."""
    reasons = []
    state = source.state()
    if state.condition not in (Condition.STREAMING, Condition.QUIET):
        now = time.time()
        reasons.append(replace(state, at=now).problem(now) or f"connecting to {state.host}")
    if writer.silent_for() > READY_SILENCE:
        reasons.append(f"nothing written for {READY_SILENCE:g} s")
    return Health(ok=not reasons, reasons=tuple(reasons))


def _batcher(config: Config, options: Options, start: Start, wanted: Wanted | None) -> Batcher:
    floors, collections = _floors(start), config.wanted_collections
    position = Position(now_us, plausible_us=start.durable_us)
    if wanted is None:
        return Batcher(options.limits, floors=floors, wanted=collections, position=position)
    return WantedBatcher(wanted, options.limits, floors=floors, wanted=collections, position=position)


def _floors(start: Start) -> Floors:
    """The floors that the stream can still meet, also where the cursor is ahead of the clock."""
    begin_us = start.durable_us if start.cursor is None else min(start.cursor, start.durable_us)
    return Floors(queries.floors_from(held_from(min(begin_us, now_us()))))


def _writer(config: Config, options: Options, start: Start, stop: Stop) -> Writer:
    host = host_of(config.ws_url)
    sink: BatchSink
    checkpoints: Checkpoints
    if options.dry_run:
        sink, checkpoints = Nowhere(), Nowhere()
    else:
        real = Sink(host, wait=sleep_until(stop.deadline), disk=disk_is_low(config.data_dir, config.min_free_disk))
        sink, checkpoints = real, CheckpointStore(real.insert)
    progress = Progress(host=host, safe_cursor=start.safe_cursor)
    if start.begins_anew:
        checkpoints.save(progress.acknowledged(start.safe_cursor, now_us=now_us()))
    return Writer(sink, checkpoints, progress, now_us=now_us, deadline=stop.deadline)


class Nowhere:
    """The sink and checkpoint store of a dry run: logs and drops everything."""

    def write(self, batch: Batch) -> None:
        log.info("would write", records=len(batch.records), dead=len(batch.dead), events=batch.events)

    def save(self, checkpoint: Checkpoint) -> None:
        log.info("would save", cursor=checkpoint.cursor)
