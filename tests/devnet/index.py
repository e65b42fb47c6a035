"""What the indexer made of the network: the records that count now, and what the PDS holds, in the same form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from atsite.core.clickhouse import door
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.devnet.network import Network

POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
FOLLOW, BLOCK, PROFILE = "app.bsky.graph.follow", "app.bsky.graph.block", "app.bsky.actor.profile"
#: Table of a collection, and what its rows must say of a record beside its address.
VIEWS: Final = {
    POST: ("posts", "text"),
    LIKE: ("likes", "subject_uri"),
    REPOST: ("reposts", "subject_uri"),
    FOLLOW: ("follows", "subject_did"),
    BLOCK: ("blocks", "subject_did"),
    PROFILE: ("actor_profiles", "display_name"),
}


@dataclass(frozen=True)
class _Raw:
    did: str
    uri: str
    operation: str
    cid: str
    record: str


RAW = """
SELECT repo, concat('at://', repo, '/', collection, '/', rkey) AS uri,
       argMax(operation, version), argMax(cid, version), argMax(record_json, version)
FROM repo_records
GROUP BY repo, collection, rkey
"""


def raw(dids: Collection[str]) -> dict[str, tuple[str, Any]]:
    """at-uri -> (cid, record) of what these accounts hold, by the raw events."""
    rows = door.query(RAW, into=_Raw, name="tests.devnet_raw")
    return {row.uri: (row.cid, json.loads(row.record)) for row in rows if row.operation != "delete" and row.did in dids}


@dataclass(frozen=True)
class _Said:
    did: str
    rkey: str
    said: str


def viewed(collection: str, dids: Collection[str]) -> dict[str, str]:
    """at-uri -> what the table made from these records says of each."""
    table, column = VIEWS[collection]
    rkey = "'self'" if collection == PROFILE else "rkey"
    sql = f"SELECT did, {rkey}, {column} FROM {table} FINAL WHERE deleted = 0"
    rows = door.query(sql, into=_Said, name="tests.devnet_viewed")
    return {f"at://{row.did}/{collection}/{row.rkey}": row.said for row in rows if row.did in dids}


def said(collection: str, record: dict[str, Any]) -> str:
    """What a table must say of a record."""
    match collection:
        case "app.bsky.feed.post":
            return str(record["text"])
        case "app.bsky.feed.like" | "app.bsky.feed.repost":
            return str(record["subject"]["uri"])
        case "app.bsky.actor.profile":
            return str(record["displayName"])
        case _:
            return str(record["subject"])


def await_truth(network: Network) -> None:
    """Return when the index holds, record for record, what the PDS does; else an assertion with the differences."""
    truth = network.truth()
    held = {
        uri: (record["cid"], record["value"])
        for collections in truth.values()
        for records in collections.values()
        for uri, record in records.items()
    }
    until(lambda: raw(truth) == held, lambda: _differences(raw(truth), held))
    for collection in VIEWS:
        expected = {uri: said(collection, record) for uri, (_, record) in held.items() if f"/{collection}/" in uri}
        _await_view(collection, truth, expected)


def _await_view(collection: str, dids: Collection[str], expected: dict[str, str]) -> None:
    """An insert is seen in its table a moment before its views have it."""
    until(
        lambda: viewed(collection, dids) == expected,
        lambda: _differences(viewed(collection, dids), expected),
    )


def _differences(indexed: dict[str, Any], held: dict[str, Any]) -> str:
    lines = [f"missing: {uri}" for uri in held.keys() - indexed.keys()]
    lines += [f"too many: {uri}" for uri in indexed.keys() - held.keys()]
    lines += [
        f"differs: {uri}: {indexed[uri]} is {held[uri]}" for uri in held.keys() & indexed if indexed[uri] != held[uri]
    ]
    return "\n".join(sorted(lines)[:20])
