"""Rebuilds the frame of an event, for a dead letter that can be decoded again.

Frames are not kept: that would double the memory of every event, for one event in a million.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Raw
from msgspec.json import encode

from indexer.index.events import AccountEvent, IdentityEvent, RecordEvent


def raw_of(event: RecordEvent | IdentityEvent | AccountEvent) -> bytes:
    """A Jetstream v1 frame that decodes to `event`."""
    if isinstance(event, RecordEvent):
        return encode({"did": event.repo, "time_us": event.time_us, "kind": "commit", "commit": _commit(event)})
    inner: dict[str, Any] = {"did": event.did, "time": _datetime(event.version)}
    if isinstance(event, IdentityEvent):
        kind, inner = "identity", inner | {"handle": event.handle}
    else:
        kind, inner = "account", inner | {"active": event.active, "status": event.status}
    return encode({"did": event.did, "time_us": event.time_us, "kind": kind, kind: inner})


def _commit(event: RecordEvent) -> dict[str, Any]:
    commit: dict[str, Any] = {
        "rev": event.rev,
        "operation": event.operation,
        "collection": event.collection,
        "rkey": event.rkey,
    }
    return commit if event.operation == "delete" else commit | {"record": Raw(event.record_json), "cid": event.cid}


def _datetime(micros: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()
