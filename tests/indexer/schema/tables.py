"""What the tables hold, read back in the shape of the fold."""

from __future__ import annotations

from dataclasses import asdict, make_dataclass
from typing import TYPE_CHECKING, Any

from atsite.core.clickhouse import door
from tests.builders import BLOCK, FOLLOW, LIKE, POST, PROFILE, REPOST
from tests.indexer.schema import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLES = {
    POST: "posts",
    LIKE: "likes",
    REPOST: "reposts",
    FOLLOW: "follows",
    BLOCK: "blocks",
    PROFILE: "actor_profiles",
}


def rows(sql: str, *names: str, **parameters: object) -> list[dict[str, Any]]:
    """The rows of a statement as dicts with these names for its columns."""
    kind: type[Any] = make_dataclass("Row", names)
    return [asdict(row) for row in door.query(sql, parameters, into=kind, name="tests.rows")]


def table(collection: str) -> dict[fold.Key, fold.Columns]:
    """The rows of a collection's table after FINAL, tombstones included, without time_us."""
    columns = [
        "did",
        "rkey",
        *fold.COLUMNS[collection](""),
        *(["cid"] if collection == POST else []),
        "version",
        "deleted",
    ]
    return _by_key(columns, TABLES[collection], profile=collection == PROFILE)


def counts(kind: str) -> dict[str, int]:
    """Distinct actors whose like, repost, reply or quote of each subject lives: what readers of engagement count."""
    sql = """
        SELECT subject_uri, uniqExact(did)
        FROM engagement
        LEFT ANY JOIN (SELECT kind AS key_kind, rkey, did, version AS gone FROM retractions FINAL) AS retracted
            ON retracted.rkey = engagement.rkey AND retracted.did = engagement.did
            AND retracted.key_kind = if(engagement.kind IN ('reply', 'quote'), 'post', engagement.kind)
        WHERE kind = {kind:String} AND version >= gone
        GROUP BY subject_uri
    """
    return {row["uri"]: row["count"] for row in rows(sql, "uri", "count", kind=kind)}


def followers() -> dict[str, int]:
    """Distinct actors whose follow of each subject lives."""
    sql = """
        SELECT subject_did, uniqExact(did)
        FROM followers
        LEFT ANY JOIN (SELECT rkey, did, version AS gone FROM retractions FINAL WHERE kind = 'follow') AS retracted
            USING (rkey, did)
        WHERE version >= gone
        GROUP BY subject_did
    """
    return {row["did"]: row["count"] for row in rows(sql, "did", "count")}


def _by_key(columns: Sequence[str], name: str, *, profile: bool) -> dict[fold.Key, fold.Columns]:
    key = "'self' AS rkey" if profile else "rkey"
    selected = ", ".join(key if column == "rkey" else column for column in columns)
    found = rows(f"SELECT {selected} FROM {name} FINAL", *columns)
    return {(row.pop("did"), row.pop("rkey")): row for row in found}
