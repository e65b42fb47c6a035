"""Writes a batch to ClickHouse, and returns only when every row of it is there.

1. Floors first: a reader that sees other rows of a deletion then also sees its floor. Then the small tables, and the
   records last: they are the longest insert, and the one most likely to be sent again.
2. After a temporary error the *same* block is sent again, without end, with growing pauses: any part that had arrived
   fires the views again, and the tables tolerate it. Meanwhile the queue fills and the socket waits.
3. A block that is refused for its content is halved until the row is found, and the row becomes a dead letter. If more
   than 1 % of a batch of 100 or more is refused, that is a bug: the indexer stops, and the checkpoint stays.
4. Any other error of ClickHouse (a missing table, no right to write) also stops the indexer.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import structlog

from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import BadContent, ClickHouseError
from atsite.core.errors import AtsiteError
from indexer.index import records
from indexer.index.events import Dead, DeadReason, RecordEvent
from indexer.stream import metrics
from indexer.stream.raw_frame import raw_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from indexer.index.events import AccountEvent, IdentityEvent
    from indexer.index.records import Columns
    from indexer.stream.batch import Batch

log = structlog.get_logger(__name__)

Row = TypeVar("Row", "RecordEvent", "IdentityEvent", "AccountEvent")

#: Pauses between two attempts of the same block, in seconds (the retry policy of inserts).
RETRY_FIRST: Final = 0.2
RETRY_MAX: Final = 10.0
#: Seconds between two checks of a full disk.
DISK_PAUSE: Final = 5.0
#: If more than this share of a batch of at least this many rows is refused, that is a bug.
JUDGED_FROM: Final = 100
REFUSED_PART_MAX: Final = 0.01


class SinkBroken(AtsiteError):
    """ClickHouse refuses the indexer's rows; continuing would turn all events into dead letters."""


class GaveUp(AtsiteError):
    """The batch could not be written before the stop's deadline; the checkpoint stays before it."""


class Insert(Protocol):
    """The door's insert, or a test's."""

    def __call__(self, table: str, columns: Columns, /, *, name: str) -> int: ...


class Sink:
    """Writes batches of one host. `wait(seconds)` pauses and returns whether to continue."""

    def __init__(
        self,
        host: str,
        *,
        insert: Insert = door.insert,
        wait: Callable[[float], bool],
        disk: Callable[[], bool] | None = None,
    ) -> None:
        self._host = host
        self._insert = insert
        self._wait = wait
        self._disk_is_low = disk or (lambda: False)

    def write(self, batch: Batch) -> None:
        """Return when every row of the batch is acknowledged. Raises SinkBroken, or GaveUp on a stop."""
        self._wait_for_disk()
        if batch.floors:
            self.insert("repo_floors", records.repo_floors(batch.floors))
        if batch.gaps:
            self.insert("stream_gaps", records.stream_gaps(batch.gaps, self._host))
        refused = [
            *self._write_rows("actor_accounts", records.actor_accounts, batch.accounts),
            *self._write_rows("actor_identities", records.actor_identities, [e for e in batch.identities if e.handle]),
            *self._write_rows(
                "identity_changes", records.identity_changes, [e for e in batch.identities if not e.handle]
            ),
            *self._write_rows("repo_records", records.repo_records, batch.records),
        ]
        batch.dead.extend(refused)
        if batch.dead:
            self.insert("dead_letters", records.dead_letters(batch.dead, self._host))

    def insert(self, table: str, columns: Columns) -> None:
        """Insert one block, however long it takes. Raises BadContent, SinkBroken or GaveUp."""
        pause = RETRY_FIRST
        while True:
            try:
                self._insert(table, columns, name=f"indexer.{table}")
            except BadContent:
                raise
            except ClickHouseError as error:
                # A timeout is not a refusal: merges or a slow disk cause it.
                if not error.retryable and error.code not in TIMED_OUT:
                    raise SinkBroken(f"ClickHouse refuses rows of {table}: {error}") from error
                self._pause(pause, table, error)
                pause = min(pause * 2, RETRY_MAX)
            else:
                metrics.PAUSED.labels(cause="clickhouse").set(0)
                return

    def _pause(self, seconds: float, table: str, error: ClickHouseError) -> None:
        metrics.RETRIES.labels(table=table).inc()
        metrics.PAUSED.labels(cause="clickhouse").set(1)
        log.warning("insert will be sent again", table=table, error=str(error)[:200], wait_s=seconds)
        if not self._wait(seconds):
            raise GaveUp(f"stopped while ClickHouse did not accept rows of {table}: {error}") from error

    def _write_rows(self, table: str, columns_of: Callable[[Sequence[Row]], Columns], rows: list[Row]) -> list[Dead]:
        """Insert the rows, except those that ClickHouse refuses; returns these as dead letters."""
        refused: list[Dead] = []
        allowed = len(rows) * REFUSED_PART_MAX if len(rows) >= JUDGED_FROM else len(rows)
        parts = [rows] if rows else []
        while parts:
            part = parts.pop()
            try:
                self.insert(table, columns_of(part))
            except BadContent as error:
                if len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                    continue
                refused.append(Dead(DeadReason.REFUSED, str(error)[:200], raw_of(part[0]), part[0].time_us))
                if len(refused) > allowed:
                    raise SinkBroken(
                        f"ClickHouse refused more than {REFUSED_PART_MAX:.0%} of {len(rows)} rows of {table}, the last"
                        f" one with: {error}. The checkpoint stays, so nothing is lost"
                    ) from error
        return refused

    def _wait_for_disk(self) -> None:
        said = False
        while self._disk_is_low():
            if not said:
                log.error("too little disk is free: inserting waits, the stream with it")
                metrics.PAUSED.labels(cause="disk").set(1)
                said = True
            if not self._wait(DISK_PAUSE):
                raise GaveUp("stopped while too little disk space was free")
        if said:
            log.info("enough disk is free again")
            metrics.PAUSED.labels(cause="disk").set(0)


#: TIMEOUT_EXCEEDED, TOO_SLOW.
TIMED_OUT: Final = (159, 160)


def disk_is_low(folder: Path, min_free: int) -> Callable[[], bool]:
    """A function that returns whether less than `min_free` bytes are free on the disk of `folder`."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())

    def is_low() -> bool:
        return shutil.disk_usage(existing).free < min_free

    return is_low


def sleep_until(stop_deadline: Callable[[], float | None]) -> Callable[[float], bool]:
    """A wait function that ends at the deadline of a stop, once there is one (monotonic seconds)."""

    def wait(seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            deadline = stop_deadline()
            if deadline is not None and time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        return True

    return wait
