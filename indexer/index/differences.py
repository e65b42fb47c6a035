"""Compares every row of the derived tables with its source, in slices by did.

Each difference has a name, the number of its keys, and the first of them. Rows below their repo's floor are ignored. It
reads whole tables: for operators who suspect an error, not for a task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK
from indexer.index.missing_retractions import COUNTED

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Rows of the larger table that are compared at once.
SLICE: Final = 2_000_000
#: The most keys kept of one difference.
KEYS: Final = 10_000

PROFILE: Final = "app.bsky.actor.profile"
#: The tables with one row for each record of a collection.
BASES: Final = {
    "app.bsky.feed.post": "posts",
    "app.bsky.feed.like": "likes",
    "app.bsky.feed.repost": "reposts",
    "app.bsky.graph.follow": "follows",
    "app.bsky.graph.block": "blocks",
    PROFILE: "actor_profiles",
}
#: Counted kind -> its base table, the table it is counted in, and the columns that name its subject there.
SUBJECTS: Final = {
    "like": ("likes", "subject_uri", "engagement", "subject_uri"),
    "repost": ("reposts", "subject_uri", "engagement", "subject_uri"),
    "reply": ("posts", "parent_uri", "engagement", "subject_uri"),
    "quote": ("posts", "quote_uri", "engagement", "subject_uri"),
    "follow": ("follows", "subject_did", "followers", "subject_did"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """A record key. `version`: of its source, 0 if unknown."""

    did: str
    rkey: str
    version: int


@dataclass(slots=True)
class Difference:
    """One kind of difference. `collection`: of the raw events that repair it; "" if a retraction of `kind` does."""

    name: str
    collection: str
    kind: str
    number: int
    keys: list[Key]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A SELECT of did, rkey and version that finds what differs, of one slice of the dids."""

    name: str
    sql: str
    table: str
    collection: str = ""
    kind: str = ""


_SLICE: Final = "cityHash64(did) % {slices:UInt32} = {slice:UInt32}"
_EVENTS: Final = """
SELECT repo AS did, rkey, max(version) AS version FROM repo_records
WHERE collection = '{collection}' AND {which} AND cityHash64(repo) % {slices:UInt32} = {slice:UInt32}
GROUP BY repo, rkey
"""
_OLDER: Final = """
SELECT did, rkey, version
FROM ({source}) AS source
LEFT ANY JOIN ({held}) AS held USING (did, rkey)
LEFT ANY JOIN (SELECT did, floor FROM repo_floors FINAL) AS floors USING (did)
WHERE held.held < source.version AND source.version >= floor
ORDER BY did, rkey
"""


def _older(name: str, source: str, held: str, table: str, collection: str) -> Comparison:
    """Keys with a missing row, or one older than its source."""
    return Comparison(name, _OLDER.replace("{source}", source).replace("{held}", held), table, collection)


def _events(collection: str, which: str) -> str:
    return _EVENTS.replace("{collection}", collection).replace("{which}", which)


def _held(table: str, which: str = "1", rkey: str = "rkey") -> str:
    return f"SELECT did, {rkey}, max(version) AS held FROM {table} WHERE {which} AND {_SLICE} GROUP BY did, rkey"  # noqa: S608


def _not_counted(kind: str) -> Comparison:
    base, subject, table, counted_subject = SUBJECTS[kind]
    which = "1" if table == "followers" else f"kind = '{kind}'"
    sql = f"""
SELECT did, rkey, version
FROM
(
    SELECT did, rkey, version, {subject} AS subject
    FROM {base} FINAL WHERE deleted = 0 AND subject != '' AND {_SLICE}
) AS live
LEFT ANTI JOIN
(
    SELECT did, rkey, {counted_subject} AS subject, version FROM {table} WHERE {which} AND {_SLICE}
) AS counted USING (did, rkey, subject, version)
ORDER BY did, rkey
"""  # noqa: S608  the names are those above
    collection = next(name for name, its in BASES.items() if its == base)
    return Comparison(f"{kind}: live in {base} and not in {table}", sql, base, collection)


def _counted_only(kind: str) -> Comparison:
    base, subject, table, counted_subject = SUBJECTS[kind]
    which = "1" if table == "followers" else f"kind = '{kind}'"
    retraction = "post" if base == "posts" else kind
    sql = f"""
SELECT did, rkey, max(newest.held) AS version
FROM
(
    SELECT did, rkey, {counted_subject} AS subject, max(version) AS counted
    FROM {table} WHERE {which} AND {_SLICE} GROUP BY did, rkey, subject
) AS rows
LEFT ANY JOIN
(
    SELECT did, rkey, version AS gone FROM retractions FINAL WHERE kind = '{retraction}' AND {_SLICE}
) AS retracted USING (did, rkey)
LEFT ANY JOIN (SELECT did, rkey, max(version) AS held FROM {base} WHERE {_SLICE} GROUP BY did, rkey) AS newest
    USING (did, rkey)
LEFT ANTI JOIN (SELECT did, rkey, {subject} AS subject FROM {base} FINAL WHERE deleted = 0 AND {_SLICE}) AS live
    USING (did, rkey, subject)
LEFT ANY JOIN (SELECT did, floor FROM repo_floors FINAL) AS floors USING (did)
WHERE counted >= gone AND counted >= floor
GROUP BY did, rkey
ORDER BY did, rkey
"""  # noqa: S608  the names are those above
    return Comparison(f"{kind}: counted in {table} and not live in {base}", sql, table, kind=retraction)


COMPARISONS: Final = (
    *(
        _older(
            f"{table}: missing, or older than the event",
            _events(collection, "rkey = 'self'" if collection == PROFILE else "1"),
            _held(table, rkey="'self' AS rkey" if collection == PROFILE else "rkey"),
            "repo_records",
            collection,
        )
        for collection, table in BASES.items()
    ),
    *(
        _older(
            f"retractions of {counted.kind}: missing, or older than the event",
            _events(counted.collection, "operation != 'create'"),
            _held("retractions", f"kind = '{counted.kind}'"),
            "repo_records",
            counted.collection,
        )
        for counted in COUNTED
    ),
    _older(
        "posts_by_actor: missing, or older than in posts",
        _held("posts").replace("AS held", "AS version"),
        _held("posts_by_actor"),
        "posts",
        "app.bsky.feed.post",
    ),
    *(_not_counted(kind) for kind in SUBJECTS),
    *(_counted_only(kind) for kind in SUBJECTS),
)

ROWS: Final = (
    "SELECT ifNull(total_rows, 0) FROM system.tables WHERE database = currentDatabase() AND name = {table:String}"
)


def differences() -> Iterator[Difference]:
    """The differences, one per comparison that finds any. Raises ClickHouseError."""
    for comparison in COMPARISONS:
        rows = int(door.scalar(ROWS, {"table": comparison.table}, name="indexer.rows_of_table", limits=TASK))
        slices = 1 + rows // SLICE
        found = Difference(comparison.name, comparison.collection, comparison.kind, 0, [])
        for number in range(slices):
            params = {"slices": slices, "slice": number}
            keys = door.query(comparison.sql, params, into=Key, name="indexer.differences", limits=TASK)
            found.number += len(keys)
            found.keys += keys[: KEYS - len(found.keys)]
        if found.number:
            yield found
