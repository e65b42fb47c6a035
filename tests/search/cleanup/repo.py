"""Records of one repo, as they come from its PDS, for the tests of plans."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from atsite.core.atproto.timestamps import datetime_of_micros
from search.cleanup.planning.plan import Plan, make_plan
from search.cleanup.planning.protections import PostCounts, RepoRecord
from search.cleanup.planning.record_types import LIKE, POST, REPOST, RecordType
from search.cleanup.planning.rules import Rules

DID: Final = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
OTHER: Final = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
CID: Final = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
NOW: Final = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1_000_000
DAY: Final = 86_400_000_000
OLD: Final = NOW - 400 * DAY
ALL: Final = frozenset(RecordType)


def ref(uri: str) -> dict[str, str]:
    return {"uri": uri, "cid": CID}


def uri(rkey: str, *, did: str = DID, collection: str = POST) -> str:
    return f"at://{did}/{collection}/{rkey}"


def post(rkey: str = "a", at: int = OLD, **more: Any) -> RepoRecord:
    """A plain old post, whose rkey is not a TID."""
    return RepoRecord(POST, rkey, CID, {"$type": POST, "text": "Hello", "createdAt": datetime_of_micros(at), **more})


def like(of: str, rkey: str = "like", at: int = OLD, collection: str = LIKE) -> RepoRecord:
    value = {"$type": collection, "subject": ref(of), "createdAt": datetime_of_micros(at)}
    return RepoRecord(collection, rkey, CID, value)


def repost(of: str, rkey: str = "repost") -> RepoRecord:
    return like(of, rkey, collection=REPOST)


def gate(rkey: str, kind: str = "threadgate", of: str = "") -> RepoRecord:
    collection = f"app.bsky.feed.{kind}"
    return RepoRecord(collection, rkey, CID, {"$type": collection, "post": of or uri(rkey)})


def profile(pinned: object) -> RepoRecord:
    collection = "app.bsky.actor.profile"
    return RepoRecord(collection, "self", CID, {"$type": collection, "pinnedPost": pinned})


def reply_to(parent: str) -> dict[str, Any]:
    return {"reply": {"root": ref(parent), "parent": ref(parent)}}


def rules(types: Any = ALL, **more: Any) -> Rules:
    """Delete everything of these types before now, unless the test says more."""
    if "delete_before" not in more:
        more.setdefault("delete_until_days_ago", 0)
    return Rules(types=types, **more)


def plan(*records: RepoRecord, counts: dict[str, PostCounts] | None = None, **more: Any) -> Plan:
    return make_plan(DID, records, rules(**more), counts or {}, NOW)


def outcome(made: Plan) -> dict[str, str]:
    """What becomes of each record, by collection/rkey: its types, gate, or the reason why it is kept."""
    path = len(f"at://{DID}/")
    return {
        **{record.uri[path:]: " ".join(sorted(record.types)) for record in made.going},
        **{gate.uri[path:]: "gate" for gate in made.gates},
        **{record.uri[path:]: record.reason.name for record in made.kept},
    }
