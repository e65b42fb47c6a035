"""The overview's ClickHouse queries, all within the limits of `QUICK`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits
from atsite.dashboard.numbers import DeadLetters, Disk, Gaps, Table

#: A user waits for the page, and the next read comes a second later.
QUICK: Final = Limits(max_execution_time=2, max_memory_usage=200_000_000, max_threads=1, readonly=True)

# total_rows is kept by the engine: no table is read.
TABLES = """
SELECT name, assumeNotNull(total_rows), assumeNotNull(total_bytes)
FROM system.tables
WHERE database = currentDatabase() AND total_rows IS NOT NULL AND engine LIKE '%MergeTree'
ORDER BY total_bytes DESC, name
"""


def tables() -> tuple[Table, ...]:
    """Every table with its rows and bytes, the largest first."""
    return tuple(door.query(TABLES, into=Table, name="dashboard.tables", limits=QUICK))


# FINAL: a gap that was noticed twice counts once.
GAPS = """
SELECT count(), max(noticed_at), intDiv(sum(greatest(to_us, from_us) - from_us), 1000000)
FROM stream_gaps FINAL
WHERE noticed_at >= now() - INTERVAL 7 DAY
"""


@dataclass(frozen=True, slots=True)
class _GapRow:
    count: int
    newest: datetime
    missing_seconds: int


def gaps() -> Gaps:
    """The gaps noticed in the last week."""
    (row,) = door.query(GAPS, into=_GapRow, name="dashboard.gaps", limits=QUICK)
    newest = row.newest if row.newest.tzinfo else row.newest.replace(tzinfo=UTC)
    return Gaps(row.count, newest if row.count else None, row.missing_seconds)


# FINAL: a letter that has been indexed since has a tombstone. Payloads are not read.
DEAD_LETTERS = """
SELECT count(), countIf(stored_at >= now() - INTERVAL 1 DAY)
FROM dead_letters FINAL
WHERE deleted = 0
"""


def dead_letters() -> DeadLetters:
    """The number of dead letters."""
    (row,) = door.query(DEAD_LETTERS, into=DeadLetters, name="dashboard.dead_letters", limits=QUICK)
    return row


DISK = """
SELECT toUInt64(min(free_space)), toUInt64(min(total_space)), {pause_below:UInt64}
FROM system.disks
"""


def disk(*, pause_below: int) -> Disk:
    """The disk of ClickHouse with the least free space."""
    (row,) = door.query(DISK, {"pause_below": pause_below}, into=Disk, name="dashboard.disk", limits=QUICK)
    return row
