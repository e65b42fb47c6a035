"""What is remembered of dids and handles in Redis: documents, handles, and that there is none.

If Redis is unavailable or hangs, nothing is remembered, and every request goes to the network.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from atsite.core.atproto.did_document import DidDocument
from atsite.core.atproto.keys import parse_multikey
from atsite.core.errors import InvalidSyntax
from atsite.core.identity.documents import NoSuchIdentity
from atsite.core.kv import PREFIX
from atsite.core.kv.quick import RedisAway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import redis

    from atsite.core.atproto.syntax import Did, Handle
    from atsite.core.kv.quick import Asking

#: A document changes when its owner moves or rotates a key; an invalid signature makes it be fetched earlier.
FOUND_SECONDS = 6 * 3600
#: An account that does not exist now may exist soon.
ABSENT_SECONDS = 5 * 60


class DidCache:
    """Documents by did and dids by handle, in Redis. Without a `store` it is always empty."""

    def __init__(self, store: Asking | None) -> None:
        self._store = store

    async def document(self, did: Did) -> DidDocument | None:
        """The document of `did`, None if it is not known. Raises NoSuchIdentity for a remembered absence."""
        return unpacked(did, await self._get(document_key(did)))

    async def keep_document(self, document: DidDocument) -> None:
        """Remember a document that was fetched."""
        await self._set(document_key(document.did), _packed(document), FOUND_SECONDS)

    async def keep_absence(self, did: Did, reason: str) -> None:
        """Remember that `did` does not exist."""
        await self._set(document_key(did), json.dumps({"absent": reason}), ABSENT_SECONDS)

    async def did_of(self, handle: Handle) -> str | None:
        """The did of `handle`, "" if it has none, None if it is not known."""
        return await self._get(f"{PREFIX}handle:{handle}")

    async def keep_handle(self, handle: Handle, did: str) -> None:
        """Remember the did of `handle`; "" if it has none."""
        await self._set(f"{PREFIX}handle:{handle}", did, ABSENT_SECONDS)

    async def _get(self, key: str) -> str | None:
        return await self._ask(lambda redis: _text(redis.get(key)))

    async def _set(self, key: str, value: str, seconds: int) -> None:
        await self._ask(lambda redis: _text(redis.set(key, value, ex=seconds)))

    async def _ask(self, call: Callable[[redis.Redis], str | None]) -> str | None:
        if self._store is None:
            return None
        try:
            return await asyncio.to_thread(self._store.ask, call)
        except RedisAway:
            return None


def document_key(did: Did) -> str:
    """The Redis key of the cached document of `did`."""
    return f"{PREFIX}did:{did}"


def _text(value: bytes | str | Awaitable[object] | bool | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else None


def _packed(document: DidDocument) -> str:
    key = document.signing_key
    return json.dumps({"handle": document.handle, "key": key.multibase if key else None, "pds": document.pds})


def unpacked(did: Did, text: str | None) -> DidDocument | None:
    """The document that _packed wrote, None if it cannot be read. Raises NoSuchIdentity for a cached absence."""
    try:
        value = json.loads(text or "")
        absent = value.get("absent")
        key = parse_multikey(value["key"]) if value.get("key") else None
        document = DidDocument(did=did, handle=value.get("handle"), signing_key=key, pds=value.get("pds"))
    except (ValueError, AttributeError, TypeError, InvalidSyntax):
        return None
    if absent is not None:
        raise NoSuchIdentity(str(absent))
    return document
