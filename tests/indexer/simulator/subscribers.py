"""Small events and a subscriber that collects what it is sent."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MIRA = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
TARO = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
# How long anything may take that should happen at once.
DEADLINE = 20.0


def commit(time_us: int, collection: str = "app.bsky.feed.like", did: str = MIRA, size: int = 0) -> bytes:
    """A create event; `size` bytes of padding make it long."""
    body = {"rev": "3mmoojp7vgo2g", "operation": "create", "collection": collection, "rkey": "3mmoojp7vgo2g"}
    return _line(did, time_us, "commit", {**body, "record": {"text": "x" * size}})


def identity(time_us: int, did: str = MIRA) -> bytes:
    return _line(did, time_us, "identity", {"did": did, "handle": "mira.demo.test", "seq": 1})


def account(time_us: int, did: str = MIRA) -> bytes:
    return _line(did, time_us, "account", {"active": True, "did": did, "seq": 2})


def _line(did: str, time_us: int, kind: str, body: dict[str, Any]) -> bytes:
    event = {"did": did, "time_us": time_us, "kind": kind, kind: body}
    return json.dumps(event, separators=(",", ":")).encode()


@asynccontextmanager
async def subscriber(url: str, **options: Any) -> AsyncIterator[ClientConnection]:
    async with connect(url, compression=None, **options) as websocket:
        yield websocket


async def take(websocket: ClientConnection, count: int) -> list[bytes]:
    """The next `count` messages as bytes."""
    async with asyncio.timeout(DEADLINE):
        return [await websocket.recv(decode=False) for _ in range(count)]


async def replay(url: str, count: int) -> list[bytes]:
    """What a new subscriber gets first."""
    async with subscriber(url) as websocket:
        return await take(websocket, count)
