"""The rows of a batch as columns of their tables. Pure.

Each function takes rows and returns {column: values}, in the order of the table (indexer/sql/tables).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.checkpoint import Checkpoint
    from indexer.index.events import AccountEvent, Dead, IdentityEvent, RecordEvent
    from indexer.index.floors import FloorRow
    from indexer.index.gaps import Gap

Columns: TypeAlias = dict[str, list[Any]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def repo_records(events: Sequence[RecordEvent]) -> Columns:
    """`source` keeps its default, jetstream."""
    return {
        "repo": [event.repo for event in events],
        "collection": [event.collection for event in events],
        "rkey": [event.rkey for event in events],
        "operation": [event.operation for event in events],
        "rev": [event.rev for event in events],
        "cid": [event.cid for event in events],
        "record_json": [event.record_json for event in events],
        "time_us": [event.time_us for event in events],
        "version": [event.version for event in events],
    }


def actor_identities(events: Sequence[IdentityEvent]) -> Columns:
    return {
        "did": [event.did for event in events],
        "handle": [event.handle for event in events],
        "time_us": [event.time_us for event in events],
        "version": [event.version for event in events],
    }


def identity_changes(events: Sequence[IdentityEvent]) -> Columns:
    return {
        "did": [event.did for event in events],
        "time_us": [event.time_us for event in events],
        "version": [event.version for event in events],
    }


def actor_accounts(events: Sequence[AccountEvent]) -> Columns:
    return {
        "did": [event.did for event in events],
        "active": [int(event.active) for event in events],
        "status": [event.status for event in events],
        "time_us": [event.time_us for event in events],
        "version": [event.version for event in events],
    }


def repo_floors(rows: Sequence[FloorRow]) -> Columns:
    return {
        "did": [row.did for row in rows],
        "floor": [row.floor for row in rows],
        "reason": [row.reason for row in rows],
    }


def dead_letter_id(dead: Dead) -> str:
    """The same id for the same frame, so that a replay does not duplicate its dead letter."""
    return sha256(dead.payload).hexdigest()[:32]


def dead_letters(rows: Sequence[Dead], host: str) -> Columns:
    """`version` is the event's time: a replay writes the same row, and a retry removes it with the next version."""
    return {
        "id": [dead_letter_id(row) for row in rows],
        "reason": [str(row.reason) for row in rows],
        "detail": [row.detail.encode("utf-8", "replace") for row in rows],
        "payload": [row.payload for row in rows],
        "host": [host] * len(rows),
        "time_us": [row.time_us for row in rows],
        "version": [row.time_us for row in rows],
        "deleted": [0] * len(rows),
    }


def stream_gaps(rows: Sequence[Gap], host: str) -> Columns:
    return {
        "from_us": [row.from_us for row in rows],
        "to_us": [row.to_us for row in rows],
        "host": [host] * len(rows),
        "reason": [str(row.reason) for row in rows],
    }


def indexer_checkpoints(checkpoint: Checkpoint) -> Columns:
    return {
        "host": [checkpoint.host],
        "protocol": [checkpoint.protocol],
        "cursor": [checkpoint.cursor],
        "time_us": [checkpoint.time_us],
        "safe_cursor": [checkpoint.safe_cursor],
        "acked_at": [_EPOCH + timedelta(microseconds=checkpoint.acked_at)],
    }
