"""The thread that writes batches while the socket is read, and its queue.

The queue is bounded in bytes. When it is full `put` waits, so the socket is not read and the host waits: nothing is
dropped and memory stays constant, however long ClickHouse is unavailable.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

import structlog
from opentelemetry import trace

from indexer.stream import metrics
from indexer.stream.sink import GaveUp

if TYPE_CHECKING:
    from collections.abc import Callable

    from indexer.index.checkpoint import Checkpoint, Progress
    from indexer.stream.batch import Batch

log = structlog.get_logger(__name__)
_tracer = trace.get_tracer("indexer")

#: Bytes of frames that may wait for ClickHouse, besides the batch that is being written; they use about twice as much
#: memory. A full batch always fits.
QUEUE_BYTES: Final = 96_000_000
#: Seconds between two checks of a stop's deadline while waiting for the other thread.
POLL_SECONDS: Final = 0.1


class BatchSink(Protocol):
    def write(self, batch: Batch, /) -> None: ...


class Checkpoints(Protocol):
    def save(self, checkpoint: Checkpoint, /) -> None: ...


class Writer:
    """Writes batches in the order they were put, and saves the checkpoint of each after it.

    The first failure stops it for good: it is raised by the next `put`, `check` or `finish`.
    """

    def __init__(
        self,
        sink: BatchSink,
        checkpoints: Checkpoints,
        progress: Progress,
        *,
        queue_bytes: int = QUEUE_BYTES,
        now_us: Callable[[], int],
        deadline: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._sink = sink
        self._checkpoints = checkpoints
        self._progress = progress
        self._queue_bytes = queue_bytes
        self._now_us = now_us
        #: When the last batches must be written (monotonic seconds); None without a stop.
        self._deadline = deadline
        self._changed = threading.Condition()
        self._queue: deque[Batch] = deque()
        self._waiting_bytes = 0
        self._busy = False
        self._finishing = False
        self._failure: BaseException | None = None
        self._acked_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="indexer-writer", daemon=True)
        self._thread.start()

    @property
    def idle(self) -> bool:
        """Whether no batch is waiting or being written."""
        return not self._busy and not self._queue

    def silent_for(self) -> float:
        """Seconds without an acknowledgement while there is something to write; 0 when idle."""
        return 0.0 if self.idle else time.monotonic() - self._acked_at

    def put(self, batch: Batch) -> None:
        """Queue a batch; waits while the queue is full. Raises the writer's error, or GaveUp at a stop's deadline."""
        with self._changed:
            while self._queue and self._waiting_bytes + batch.bytes > self._queue_bytes and self._failure is None:
                self._give_up_if_late()
                self._changed.wait(POLL_SECONDS)
            self.check()
            if self.idle:
                self._acked_at = time.monotonic()
            self._queue.append(batch)
            self._waiting_bytes += batch.bytes
            metrics.QUEUE_BYTES.set(self._waiting_bytes)
            self._changed.notify_all()

    def check(self) -> None:
        """Raise the error that stopped the writer, if any."""
        if self._failure is not None:
            raise self._failure

    def finish(self) -> None:
        """Return when everything put is durable and its checkpoint saved.

        Raises what stopped the writer, GaveUp at a stop's deadline: a hanging store does not answer.
        """
        with self._changed:
            self._finishing = True
            self._changed.notify_all()
        while self._thread.is_alive():
            self._give_up_if_late()
            self._thread.join(POLL_SECONDS)
        self.check()

    def _give_up_if_late(self) -> None:
        """Raise GaveUp once the deadline of a stop has passed."""
        deadline = self._deadline()
        if deadline is not None and time.monotonic() >= deadline and self._failure is None:
            raise GaveUp("stopped before ClickHouse accepted the last batches; the checkpoint stays before them")

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            try:
                self._make_durable(batch)
            except BaseException as error:
                with self._changed:
                    self._failure = error
                    self._changed.notify_all()
                return

    def _next(self) -> Batch | None:
        with self._changed:
            self._busy = False
            while not self._queue:
                if self._finishing:
                    return None
                self._changed.wait()
            batch = self._queue.popleft()
            self._busy = True
            self._waiting_bytes -= batch.bytes
            metrics.QUEUE_BYTES.set(self._waiting_bytes)
            self._changed.notify_all()
            return batch

    def _make_durable(self, batch: Batch) -> None:
        """Invariant 1: the checkpoint is saved after everything at or before it is acknowledged, and not otherwise.

        A crash between the two lines repeats the batch, which the tables tolerate.
        """
        with _tracer.start_as_current_span("indexer.flush") as span, metrics.FLUSH_SECONDS.time():
            span.set_attribute("indexer.events", batch.events)
            self._sink.write(batch)
            if batch.cursor:
                checkpoint = self._progress.acknowledged(
                    batch.cursor, now_us=self._now_us(), plausible_us=batch.plausible_us
                )
                self._checkpoints.save(checkpoint)
        self._acked_at = time.monotonic()
        metrics.count(batch)
        if batch.cursor:
            metrics.CURSOR.set(batch.cursor)
            metrics.CLOCK_SKEW_SECONDS.set(batch.skew_us / 1_000_000)
            metrics.stored_up_to(batch.cursor - batch.skew_us)
