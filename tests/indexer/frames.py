"""Jetstream v1 frames for tests, written as the host writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from atsite.core.atproto.tid import tid_of_micros

#: 2026-05-25T14:23:20Z, when the golden frames were captured.
T0 = 1_779_719_000_000_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
LIKE, POST, REPOST, FOLLOW = (
    "app.bsky.feed.like",
    "app.bsky.feed.post",
    "app.bsky.feed.repost",
    "app.bsky.graph.follow",
)
CID = "bafyreiaxf7tgbfydx3465sckitq6v564thxe2wwydbi7cwxbxvgssje3em"


def did(number: int) -> str:
    """A did:plc for each number."""
    digits = ""
    for _ in range(6):
        digits = "abcdefghijklmnopqrstuvwxyz234567"[number & 31] + digits
        number >>= 5
    return f"did:plc:{digits:a>24}"


def commit(
    repo: str,
    collection: str,
    rkey: str,
    record: dict[str, Any] | None,
    *,
    at: int,
    operation: str | None = None,
    rev: str | None = None,
    seen: int | None = None,
) -> bytes:
    """A commit at `at` (unix microseconds), seen by the host a quarter of a second later."""
    body: dict[str, Any] = {
        "rev": tid_of_micros(at) if rev is None else rev,
        "operation": operation or ("delete" if record is None else "create"),
        "collection": collection,
        "rkey": rkey,
    }
    if record is not None:
        body |= {"record": {"$type": collection} | record, "cid": CID}
    return _frame(repo, at + 250_000 if seen is None else seen, "commit", body)


def post(repo: str, rkey: str, text: str, *, at: int, operation: str | None = None) -> bytes:
    return commit(repo, POST, rkey, {"text": text, "createdAt": iso(at)}, at=at, operation=operation)


def like(repo: str, rkey: str, subject: str, *, at: int) -> bytes:
    return commit(repo, LIKE, rkey, {"createdAt": iso(at), "subject": {"cid": CID, "uri": subject}}, at=at)


def follow(repo: str, rkey: str, subject: str, *, at: int) -> bytes:
    return commit(repo, FOLLOW, rkey, {"createdAt": iso(at), "subject": subject}, at=at)


def delete(repo: str, collection: str, rkey: str, *, at: int) -> bytes:
    return commit(repo, collection, rkey, None, at=at)


def identity(repo: str, handle: str, *, at: int, seen: int | None = None) -> bytes:
    body: dict[str, Any] = {"did": repo, "seq": at // 1000, "time": iso(at)}
    if handle:
        body["handle"] = handle
    return _frame(repo, at + 250_000 if seen is None else seen, "identity", body)


def account(repo: str, *, active: bool, status: str = "", at: int, seen: int | None = None) -> bytes:
    body: dict[str, Any] = {"active": active, "did": repo, "seq": at // 1000, "time": iso(at)}
    if status:
        body["status"] = status
    return _frame(repo, at + 250_000 if seen is None else seen, "account", body)


def iso(micros: int) -> str:
    """The time as a PDS writes it."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moved(frame: bytes, by: int) -> bytes:
    """The same event as another host has seen it: only its time_us differs."""
    value = json.loads(frame)
    value["time_us"] += by
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _frame(repo: str, time_us: int, kind: str, body: dict[str, Any]) -> bytes:
    value = {"did": repo, "time_us": time_us, "kind": kind, kind: body}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
