"""source -> decode -> batch -> sink -> checkpoint, in two threads: this one reads and decodes, the writer inserts.

Invariant: a cursor is saved only after every row at or before it is durable (Writer._make_durable). The reading side
hands batches over in the order of the stream and never looks back, so a crash at any point repeats rows and loses none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from indexer.index.gaps import GapReason, gap_of
from indexer.stream import metrics
from indexer.stream.decode import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from indexer.index.gaps import Resumed
    from indexer.stream.batch import Batcher
    from indexer.stream.source import Chunk
    from indexer.stream.writer import Writer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did: events taken in; the seconds, and those of this process's CPU, to the last checkpoint."""

    events: int
    seconds: float
    cpu_seconds: float


class Source(Protocol):
    """What the pipeline asks of the stream (indexer.stream.source.Jetstream)."""

    def read(self) -> Chunk: ...
    def seen(self, time_us: int) -> None: ...
    def begin_again(self, time_us: int) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Pipeline:
    """One run of the stream. `filtered`: WANTED_* leaves events out, so that a late event proves no gap."""

    source: Source
    batcher: Batcher
    writer: Writer
    now_us: Callable[[], int]
    filtered: bool
    lookback_hours: int
    #: Dids of which nothing is indexed now (indexer.index.do_not_index).
    refused: Callable[[], Collection[str]] = frozenset
    _resumed: Resumed | None = None

    def run(self, stop: Callable[[], bool], *, max_events: int | None = None) -> Report:
        """Move events until `stop()` or `max_events`; then flush what is there.

        Raises what stopped the writer; the checkpoint then stays before the first row that is not durable.
        """
        taken = 0
        began, cpu_began = time.monotonic(), time.process_time()
        try:
            while not stop() and (max_events is None or taken < max_events):
                chunk = self.source.read()
                if chunk.resumed is not None:
                    self._resumed = chunk.resumed
                if chunk.frames and not taken:
                    began, cpu_began = time.monotonic(), time.process_time()
                left = len(chunk.frames) if max_events is None else max_events - taken
                taken += self._take_in(chunk.frames[:left])
                self._flush_if_due()
        finally:
            self.source.close()
        self._flush()
        self.writer.finish()
        return Report(taken, time.monotonic() - began, time.process_time() - cpu_began)

    def _take_in(self, frames: Sequence[bytes]) -> int:
        """Decode frames into batches, handing each over as soon as it is full."""
        self.batcher.refused = self.refused()
        start = 0
        while start < len(frames):
            part = frames[start : start + self.batcher.room]
            start += len(part)
            now = time.monotonic()
            if self._resumed is not None:
                self._look_for_gap(part)
            self.batcher.extend(list(map(decode, part)), sum(map(len, part)), now)
            if self.batcher.is_full:
                self._flush()
        return len(frames)

    def _flush_if_due(self) -> None:
        """While the writer is busy a batch may grow on until it is full: larger blocks are cheaper."""
        self.writer.check()
        if self.writer.idle and self.batcher.is_due(time.monotonic()):
            self._flush()
        self.source.seen(self.batcher.cursor)

    def _flush(self) -> None:
        self.source.seen(self.batcher.cursor)
        batch = self.batcher.take()
        metrics.FLOORS_HELD.set(len(self.batcher.floors))
        if batch:
            self.writer.put(batch)

    def _look_for_gap(self, frames: Sequence[bytes]) -> None:
        """Compare the first event that has a time with what was asked for."""
        first_us = next((time_us for time_us in (decode(frame).time_us for frame in frames) if time_us), 0)
        if self._resumed is None or not first_us:
            return
        resumed, self._resumed = self._resumed, None
        gap = gap_of(
            resumed, first_us, filtered=self.filtered, now_us=self.now_us(), lookback_hours=self.lookback_hours
        )
        if gap is None:
            return
        log.error("events are missing", from_us=gap.from_us, to_us=gap.to_us, reason=str(gap.reason))
        self.batcher.add_gap(gap)
        if gap.reason is GapReason.FUTURE:
            self.source.begin_again(first_us)
