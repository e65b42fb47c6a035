"""Writes the missing retractions of records that a later create replaced.

Likes, reposts, replies, quotes and follows count for their subject (`engagement`, `followers`) until there is a newer
retraction of their key. Deletes and updates write one. Usually no row exists for the key of a create; if one does (a
client put a record, or a delete was never seen), the old subject would keep its count forever. A create replaces
whatever its key had before, so a retraction with the create's version is always correct, and writing it twice changes
nothing.

Such creates are found among the raw events: either the replaced record came in the same days, or the create came long
after the time in its record key. All others cannot have replaced a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

import structlog

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

log = structlog.get_logger(__name__)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows that count for a subject, by kind of retraction: rows of `table` where `which`, derived from `base`."""

    kind: str
    collection: str
    base: str
    table: str
    which: str


COUNTED: Final = (
    Counted("post", "app.bsky.feed.post", "posts", "engagement", "kind IN ('reply', 'quote')"),
    Counted("like", "app.bsky.feed.like", "likes", "engagement", "kind = 'like'"),
    Counted("repost", "app.bsky.feed.repost", "reposts", "engagement", "kind = 'repost'"),
    Counted("follow", "app.bsky.graph.follow", "follows", "followers", "1"),
)
#: A nightly run checks two days, to make up for a missed run.
LOOK_BACK: Final = timedelta(days=2)
#: Creates checked at once. Their keys are grouped in the table's order, and few of them are kept.
SLICE: Final = 20_000_000
#: Keys looked up, and retractions written, at once.
BATCH: Final = 5_000


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A key where a create replaced a row that still counts, and the versions of both."""

    did: str
    rkey: str
    before: int
    version: int


def write_missing_retractions(*, since: datetime) -> int:
    """Write the missing retractions of events since then; returns how many. Raises ClickHouseError."""
    number = 0
    for counted in COUNTED:
        for batch in _batches(overwritten(counted, since=since)):
            retract([(counted.kind, row.did, row.rkey, row.version) for row in batch])
            number += len(batch)
    if number:
        log.warning("retractions.written", number=number)
    return number


def retract(rows: list[tuple[str, str, str, int]]) -> None:
    """Write retractions: (kind, did, rkey, version)."""
    kinds, dids, rkeys, versions = (list(column) for column in zip(*rows, strict=True))
    columns: dict[str, list[object]] = {"kind": kinds, "rkey": rkeys, "did": dids, "version": versions}
    door.insert("retractions", columns, name="indexer.retractions")


DAYS: Final = "SELECT DISTINCT day FROM repo_records WHERE stored_at >= {since:DateTime64(6, 'UTC')}"
CREATES: Final = """
SELECT count() FROM repo_records
WHERE collection = {collection:String} AND day IN {days:Array(Date)} AND operation = 'create'
"""


def overwritten(counted: Counted, *, since: datetime) -> Iterator[Overwritten]:
    """The keys where a create since then replaced a row that still counts."""
    days: list[date] = door.column(DAYS, {"since": since}, name="indexer.days_of_arrivals", limits=TASK)
    params: dict[str, object] = {"collection": counted.collection, "days": days, "since": since}
    slices = 1 + int(door.scalar(CREATES, params, name="indexer.creates", limits=TASK)) // SLICE if days else 0
    statement = REPLACED.replace("{table}", counted.table).replace("{which}", counted.which)
    for number in range(slices):
        found = door.query(
            statement,
            params | {"slices": slices, "slice": number},
            into=Overwritten,
            name="indexer.replaced_keys",
            limits=TASK,
        )
        for batch in _batches(iter(found)):
            gone = _retracted(counted.kind, batch)
            for row in batch:
                if row.before >= gone.get((row.did, row.rkey), 0):
                    yield row


# 600,000,000 µs: the key of a new record has the time of its creation.
REPLACED: Final = """
SELECT did, rkey, max(counted.version) AS before, any(creates.created) AS created
FROM
(
    SELECT did, rkey, version FROM {table}
    WHERE {which} AND cityHash64(did) % {slices:UInt32} = {slice:UInt32}
) AS counted
INNER JOIN
(
    SELECT repo AS did, rkey, max(version) AS created
    FROM repo_records
    WHERE collection = {collection:String} AND day IN {days:Array(Date)} AND operation = 'create'
      AND cityHash64(repo) % {slices:UInt32} = {slice:UInt32}
    GROUP BY collection, repo, rkey
    HAVING max(stored_at) >= {since:DateTime64(6, 'UTC')}
       AND (uniqExact(version) > 1 OR NOT atsiteIsTid(rkey)
            OR abs(toInt64(intDiv(created, 1024)) - toInt64(atsiteTidToMicros(rkey))) > 600000000)
    SETTINGS optimize_aggregation_in_order = 1
) AS creates USING (did, rkey)
WHERE counted.version < creates.created
GROUP BY did, rkey
ORDER BY did, rkey
"""


RETRACTED: Final = """
SELECT did, rkey, version FROM retractions FINAL WHERE kind = {kind:String} AND rkey IN {rkeys:Array(String)}
AND did IN {dids:Array(String)}
"""


@dataclass(frozen=True, slots=True)
class _Retracted:
    did: str
    rkey: str
    version: int


def _retracted(kind: str, rows: list[Overwritten]) -> dict[tuple[str, str], int]:
    params = {"kind": kind, "rkeys": [row.rkey for row in rows], "dids": [row.did for row in rows]}
    found = door.query(RETRACTED, params, into=_Retracted, name="indexer.retracted", limits=TASK)
    return {(row.did, row.rkey): row.version for row in found}


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
