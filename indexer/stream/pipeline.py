"""jetstream -> decode -> batch -> sink -> checkpoint, in two threads: this one reads and decodes, the writer inserts.

Invariant: a cursor is saved only after every row at or before it is durable (Writer._make_durable). The reader passes
on batches in the order of the stream, so a crash at any point repeats rows and loses none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from indexer.index.gaps import GapReason, first_of, gap_of
from indexer.stream import metrics
from indexer.stream.decode import decode
from indexer.stream.position import AGREE_EVENTS
from indexer.stream.unreadable_stream import DeadShare

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from indexer.index.events import Decoded
    from indexer.index.gaps import Resumed
    from indexer.stream.batch import Batcher
    from indexer.stream.jetstream import Chunk
    from indexer.stream.writer import Writer

log = structlog.get_logger(__name__)

#: How many of the first events after a connect are compared with the cursor; a hundred that agree are believed.
FIRST_TIMES: Final = 2 * AGREE_EVENTS


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run: the number of events, and the seconds and CPU seconds until the last checkpoint."""

    events: int
    seconds: float
    cpu_seconds: float


class FrameSource(Protocol):
    """The part of the stream that the pipeline uses (indexer.stream.jetstream.Jetstream)."""

    def read(self) -> Chunk: ...
    def seen(self, position_us: int, plausible_us: int = 0) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Pipeline:
    """One run of the stream. `filtered`: WANTED_* skips events, so a late event does not prove a gap."""

    source: FrameSource
    batcher: Batcher
    writer: Writer
    now_us: Callable[[], int]
    filtered: bool
    lookback_hours: int
    #: Dids that are not indexed now (indexer.index.do_not_index).
    excluded: Callable[[], Collection[str]] = frozenset
    _resumed: Resumed | None = None
    #: The times of the first events since then, until one of them can be believed (indexer.stream.position).
    _first_times: list[int] = field(default_factory=list)
    _dead_share: DeadShare = field(default_factory=DeadShare)

    def run(self, stop: Callable[[], bool], *, max_events: int | None = None) -> Report:
        """Process events until `stop()` or `max_events`; then flush.

        Raises the error that stopped the writer; the checkpoint then stays before the first row that is not durable.
        Raises StreamUnreadable, and errors of `source.read`.
        """
        taken = 0
        began, cpu_began = time.monotonic(), time.process_time()
        try:
            while not stop() and (max_events is None or taken < max_events):
                chunk = self.source.read()
                if chunk.resumed is not None:
                    self._resumed, self._first_times = chunk.resumed, []
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
        """Decode frames into batches, and pass on each batch as soon as it is full."""
        self.batcher.excluded = self.excluded()
        start = 0
        while start < len(frames):
            part = frames[start : start + self.batcher.room]
            start += len(part)
            events = list(map(decode, part))
            dead = self.batcher.dead
            self.batcher.extend(events, sum(map(len, part)), time.monotonic())
            if self.batcher.dead == dead:
                self._dead_share.pass_by(len(part))
            else:
                self._dead_share.take(events)
            if self._resumed is not None:
                self._look_for_gap(self._resumed, events)
            if self.batcher.is_full:
                self._flush()
        return len(frames)

    def _flush_if_due(self) -> None:
        """While the writer is busy a batch may grow until it is full, because larger blocks are cheaper."""
        self.writer.check()
        if self.writer.idle and self.batcher.is_due(time.monotonic()):
            self._flush()
        self._say_what_is_seen()

    def _flush(self) -> None:
        self._say_what_is_seen()
        batch = self.batcher.take()
        metrics.FLOORS_HELD.set(len(self.batcher.floors))
        if batch:
            self.writer.put(batch)

    def _say_what_is_seen(self) -> None:
        position = self.batcher.position
        self.source.seen(position.us, position.plausible_us)

    def _look_for_gap(self, resumed: Resumed, events: Sequence[Decoded]) -> None:
        """Compare the first events with a plausible time with the cursor."""
        position = self.batcher.position
        self._first_times += [event.time_us for event in events if event.time_us][
            : FIRST_TIMES - len(self._first_times)
        ]
        times = [time_us for time_us in self._first_times if position.believes(time_us)]
        if not times:
            return
        self._resumed, self._first_times = None, []
        first_us = first_of(resumed, times)
        gap = gap_of(
            resumed, first_us, filtered=self.filtered, now_us=self.now_us(), lookback_hours=self.lookback_hours
        )
        if gap is None:
            return
        log.error("events are missing", from_us=gap.from_us, to_us=gap.to_us, reason=str(gap.reason))
        self.batcher.add_gap(gap)
        if gap.reason is GapReason.FUTURE:
            position.begin_again(max(times))
