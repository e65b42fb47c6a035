"""The raw rows that the indexer inserts, as values, and how they are inserted. tests.builders makes them."""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from atsite.core.atproto.tid import int_to_tid
from atsite.core.clickhouse import door

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

#: How long after its commit a test's Jetstream host has seen an event.
WITNESS_DELAY_US = 250_000


@dataclass(frozen=True)
class Record:
    """One event of a record, as a row of repo_records. `version` is the integer of its rev; a delete has no record."""

    did: Did
    collection: str
    rkey: str
    version: int
    record: dict[str, Any] | None
    time_us: int
    operation: str = "create"
    source: str = "jetstream"

    @property
    def rev(self) -> str:
        return int_to_tid(self.version)

    @property
    def uri(self) -> str:
        return f"at://{self.did}/{self.collection}/{self.rkey}"

    @property
    def json(self) -> str:
        return "" if self.record is None else json.dumps(self.record, ensure_ascii=False, separators=(",", ":"))

    @property
    def cid(self) -> str:
        return "" if self.record is None else cid_of(self.json)


@dataclass(frozen=True)
class Identity:
    """An identity event, as a row of actor_identities, or of identity_changes where it names no handle.

    `version` is its time in microseconds.
    """

    did: Did
    handle: str
    version: int


@dataclass(frozen=True)
class Account:
    """An account event, as a row of actor_accounts; `version` is its time in microseconds."""

    did: Did
    active: bool
    status: str
    version: int


@dataclass(frozen=True)
class Floor:
    """A row of repo_floors: whatever `did` has below this version is dead."""

    did: Did
    version: int
    reason: str


Row: TypeAlias = Record | Identity | Account | Floor


def cid_of(text: str) -> str:
    """A cid of the form that records have; it is the hash of `text`, not of DAG-CBOR."""
    digest = b"\x01\x71\x12\x20" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return "b" + b32encode(digest).decode().lower().rstrip("=")


def store(*rows: Row) -> None:
    """Insert the rows in the raw tables, a block for each table, in the given order."""
    _insert("repo_records", [_record_columns(row) for row in rows if isinstance(row, Record)])
    _insert(
        "actor_identities",
        [
            _versioned(row.did, row.version, handle=row.handle)
            for row in rows
            if isinstance(row, Identity) and row.handle
        ],
    )
    _insert(
        "identity_changes",
        [_versioned(row.did, row.version) for row in rows if isinstance(row, Identity) and not row.handle],
    )
    _insert(
        "actor_accounts",
        [
            _versioned(row.did, row.version, active=int(row.active), status=row.status)
            for row in rows
            if isinstance(row, Account)
        ],
    )
    _insert(
        "repo_floors",
        [{"did": row.did, "floor": row.version, "reason": row.reason} for row in rows if isinstance(row, Floor)],
    )


def _record_columns(row: Record) -> dict[str, object]:
    return {
        "repo": row.did,
        "collection": row.collection,
        "rkey": row.rkey,
        "operation": row.operation,
        "rev": row.rev,
        "cid": row.cid,
        "record_json": row.json,
        "time_us": row.time_us,
        "version": row.version,
        "source": row.source,
    }


def _versioned(did: Did, version: int, **columns: object) -> dict[str, object]:
    return {"did": did, **columns, "time_us": version + WITNESS_DELAY_US, "version": version}


def _insert(table: str, rows: list[dict[str, object]]) -> None:
    if rows:
        door.insert(table, {name: [row[name] for row in rows] for name in rows[0]}, name=f"tests.{table}")
