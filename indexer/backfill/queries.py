"""The ClickHouse query of a backfill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import TASK
from indexer.backfill.rules import Held

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from indexer.backfill.rules import Span


@dataclass(frozen=True, slots=True)
class _Row:
    rkey: str
    version: int
    deleted: int
    cid: str


_RAW: Final = """
SELECT rkey, version, toUInt8(operation = 'delete') AS deleted, cid
FROM repo_records
WHERE collection = {collection:String} AND repo = {did:String} AND rkey >= {low:String} AND rkey < {high:String}
"""
# Raw events are kept for KEEP_RAW_DAYS; records in tables by actor are found beyond that. Likes and reposts are not: to
# find one actor's among those of a month would take seconds per page.
_BY_ACTOR: Final = {
    collection: f"""
SELECT rkey, version, deleted, '' AS cid
FROM {table}
WHERE did = {{did:String}} AND rkey >= {{low:String}} AND rkey < {{high:String}}
"""  # noqa: S608  the tables are these
    for collection, table in (
        ("app.bsky.feed.post", "posts_by_actor"),
        ("app.bsky.graph.follow", "follows"),
        ("app.bsky.graph.block", "blocks"),
    )
}
# The newest version decides, and of its rows the one that knows the cid. No FINAL: the union is grouped anyway.
_HELD: Final = """
SELECT rkey, max(version) AS newest, argMax(deleted, (version, cid)), argMax(cid, (version, cid))
FROM ({rows})
GROUP BY rkey
ORDER BY rkey
"""
HELD: Final = {
    collection: _HELD.replace("{rows}", f"{_RAW} UNION ALL {by_actor}" if by_actor else _RAW)
    for collection in (
        "app.bsky.feed.post",
        "app.bsky.feed.like",
        "app.bsky.feed.repost",
        "app.bsky.graph.follow",
        "app.bsky.graph.block",
        "app.bsky.actor.profile",
    )
    for by_actor in (_BY_ACTOR.get(collection, ""),)
}


def held(did: Did, collection: str, span: Span) -> dict[str, Held]:
    """The newest known version of each key in the span, by rkey. KeyError for a collection without tables."""
    params = {"did": did, "collection": collection, "low": span.low, "high": span.high}
    rows = door.query(HELD[collection], params, into=_Row, name="indexer.backfill.held", limits=TASK)
    return {row.rkey: Held(row.version, bool(row.deleted), row.cid) for row in rows}
