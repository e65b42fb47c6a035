"""The indexer's ClickHouse queries: checkpoints, floors and dead letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK
from indexer.index.checkpoint import Checkpoint
from indexer.index.floors import FloorRow

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# LIMIT 1 stops at the first row: 0.01 s whatever the size.
HAS_RECORDS = "SELECT count() FROM (SELECT 1 FROM repo_records LIMIT 1)"


def has_records() -> bool:
    """Whether any event has been indexed."""
    return bool(door.scalar(HAS_RECORDS, name="indexer.has_records"))


NEWEST_CHECKPOINT = """
SELECT host, protocol, cursor, time_us, safe_cursor, toUnixTimestamp64Micro(acked_at)
FROM indexer_checkpoints
ORDER BY acked_at DESC
LIMIT 1
"""


def newest_checkpoint() -> Checkpoint | None:
    """The checkpoint of the newest acknowledgement."""
    return next(iter(door.query(NEWEST_CHECKPOINT, into=Checkpoint, name="indexer.newest_checkpoint")), None)


# A checkpoint that is its own safe cursor is from --from or --from-live: earlier ones do not count.
CURSOR_BEFORE = """
SELECT cursor FROM indexer_checkpoints
WHERE host = {host:String} AND (acked_at <= fromUnixTimestamp64Micro({until:Int64}) OR cursor = safe_cursor)
ORDER BY acked_at DESC
LIMIT 1
"""


def cursor_before(until_us: int, *, host: str) -> int | None:
    """The cursor that any run had acknowledged at a time (unix microseconds); None if there was none.

    If a run has begun elsewhere since (--from), that run's cursor.
    """
    found = door.column(CURSOR_BEFORE, {"host": host, "until": until_us}, name="indexer.cursor_before")
    return int(found[0]) if found else None


# FINAL, because the larger of two floors counts.
FLOORS_FROM = "SELECT did, floor, reason FROM repo_floors FINAL WHERE floor >= {low:UInt64}"


def floors_from(low: int) -> list[FloorRow]:
    """The floors at or above a version."""
    return door.query(FLOORS_FROM, {"low": low}, into=FloorRow, name="indexer.floors_from", limits=TASK)


FLOORS_OF = "SELECT did, floor, reason FROM repo_floors FINAL WHERE did IN {dids:Array(String)}"


def floors_of(dids: Collection[str]) -> list[FloorRow]:
    """The floors of these dids."""
    return door.query(FLOORS_OF, {"dids": sorted(dids)}, into=FloorRow, name="indexer.floors_of", limits=TASK)


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """`payload` is bytes if it is not UTF-8."""

    id: str
    reason: str
    payload: str | bytes
    host: str
    time_us: int
    version: int


DEAD_LETTERS = """
SELECT id, reason, payload, host, time_us, version
FROM dead_letters FINAL
WHERE deleted = 0 AND id > {after:String}
AND (empty({ids:Array(String)}) OR id IN {ids:Array(String)})
AND ({reason:String} = '' OR reason = {reason:String})
ORDER BY id
LIMIT {limit:UInt32}
"""


def dead_letters(*, after: str, ids: Sequence[str], reason: str, limit: int) -> list[DeadLetterRow]:
    """The dead letters that are left, by id, after `after`; all, or those with one of `ids`, or with the reason."""
    params = {"after": after, "ids": list(ids), "reason": reason, "limit": limit}
    return door.query(DEAD_LETTERS, params, into=DeadLetterRow, name="indexer.dead_letters", limits=TASK)
