"""What the tables must hold after a stream, folded from its frames in plain Python.

Written against the protocol's rules, and sharing nothing with the indexer: per record the largest rev decides, per did
the newest account event, the newest identity event that names a handle (lower case), and the newest that names none;
what is older than a deleted account's end is gone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from atsite.core.clickhouse import door
from tests.indexer.schema.fold import post_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: (did, rkey) -> what identifies the row's content.
Rows: TypeAlias = dict[tuple[str, str], Any]

ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
TABLES = {
    "app.bsky.feed.post": "posts",
    "app.bsky.feed.like": "likes",
    "app.bsky.feed.repost": "reposts",
    "app.bsky.graph.follow": "follows",
    "app.bsky.graph.block": "blocks",
}


@dataclass
class Fold:
    """The state after a stream. `records` by table; tombstones are left out."""

    records: dict[str, Rows] = field(default_factory=lambda: {table: {} for table in TABLES.values()})
    handles: dict[str, str] = field(default_factory=dict)
    #: When the identity changed without a handle being named, unix microseconds.
    changes: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, tuple[bool, str]] = field(default_factory=dict)


def fold(frames: Iterable[bytes], *, purged: bool = True) -> Fold:
    """Fold the frames, in whatever order they come; `purged`: the nightly purge has run since."""
    newest: dict[tuple[str, str, str], tuple[int, str, str]] = {}
    named: dict[str, tuple[int, str]] = {}
    unnamed: dict[str, int] = {}
    accounts: dict[str, tuple[int, bool, str]] = {}
    ends: dict[str, int] = {}
    for frame in frames:
        event = json.loads(frame)
        did = event["did"]
        if event["kind"] == "commit":
            commit = event["commit"]
            version = _number(commit["rev"])
            key = (commit["collection"], did, commit["rkey"])
            content = json.dumps(commit.get("record"), ensure_ascii=False)
            if version >= newest.get(key, (-1, "", ""))[0]:
                newest[key] = (version, commit["operation"], content)
        elif event["kind"] == "identity":
            body = event["identity"]
            at = _micros(body["time"])
            if body.get("handle"):
                named[did] = max(named.get(did, (0, "")), (at, body["handle"].casefold()))
            else:
                unnamed[did] = max(unnamed.get(did, 0), at)
        elif event["kind"] == "account":
            body = event["account"]
            state = (_micros(body["time"]), body["active"], body.get("status", ""))
            accounts[did] = max(accounts.get(did, (0, False, "")), state)
            if state[1:] == (False, "deleted"):
                ends[did] = max(ends.get(did, 0), state[0])
    folded = Fold()
    for (collection, did, rkey), (version, operation, content) in newest.items():
        dead = purged and did in ends and version < (ends[did] + 300_000_000 << 10)
        if collection in TABLES and operation != "delete" and not dead:
            folded.records[TABLES[collection]][did, rkey] = _content(collection, content)

    def ended(did: str, at: int) -> bool:
        return purged and did in ends and at < ends[did] + 300_000_000

    folded.handles = {did: handle for did, (at, handle) in named.items() if not ended(did, at)}
    folded.changes = {did: at for did, at in unnamed.items() if not ended(did, at)}
    folded.accounts = {did: (active, status) for did, (_, active, status) in accounts.items()}
    return folded


def stored(rows_of: Callable[[str], list[tuple[Any, ...]]] | None = None) -> Fold:
    """The same, from ClickHouse: the session's, or what `rows_of` asks."""
    ask = rows_of or _rows
    state = Fold()
    for collection, table in TABLES.items():
        rows = ask(_SELECTS[collection])
        state.records[table] = {(did, rkey): content for did, rkey, *content in rows}
    state.handles = dict(ask("SELECT did, handle FROM actor_identities FINAL"))
    state.changes = dict(ask("SELECT did, version FROM identity_changes FINAL"))
    state.accounts = {
        did: (bool(active), status)
        for did, active, status in ask("SELECT did, active, status FROM actor_accounts FINAL")
    }
    return state


_SELECTS = {
    "app.bsky.feed.post": "SELECT did, rkey, text, langs, parent_uri, root_uri, quote_uri, created_at"
    " FROM posts FINAL WHERE deleted = 0",
    "app.bsky.feed.like": "SELECT did, rkey, subject_uri FROM likes FINAL WHERE deleted = 0",
    "app.bsky.feed.repost": "SELECT did, rkey, subject_uri FROM reposts FINAL WHERE deleted = 0",
    "app.bsky.graph.follow": "SELECT did, rkey, subject_did FROM follows FINAL WHERE deleted = 0",
    "app.bsky.graph.block": "SELECT did, rkey, subject_did FROM blocks FINAL WHERE deleted = 0",
}


def _content(collection: str, content: str) -> list[Any]:
    if collection == "app.bsky.feed.post":
        columns = post_columns(content)
        return [columns[name] for name in ("text", "langs", "parent_uri", "root_uri", "quote_uri", "created_at")]
    record = json.loads(content)
    if collection in ("app.bsky.feed.like", "app.bsky.feed.repost"):
        return [record["subject"]["uri"]]
    return [record["subject"]]


def _rows(sql: str) -> list[tuple[Any, ...]]:
    from atsite.core.clickhouse import pool

    with pool.shared().client("tests.stored") as client:
        rows: list[tuple[Any, ...]] = client.execute(sql)
    return rows


def all_rows(table: str, without: frozenset[str] = frozenset(("time_us", "stored_at"))) -> list[tuple[Any, ...]]:
    """Every row of a table after FINAL, in every column but `without`, sorted."""
    columns = door.column(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
        " AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') ORDER BY position",
        {"table": table},
        name="tests.columns",
    )
    names = ", ".join(name for name in columns if name not in without)
    return sorted(_rows(f"SELECT {names} FROM {table} FINAL"), key=repr)


def _number(rev: str) -> int:
    number = 0
    for character in rev:
        number = number * 32 + ALPHABET.index(character)
    return number


def _micros(text: str) -> int:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 1_000_000 + int(f"{fraction[:6]:0<6}")
