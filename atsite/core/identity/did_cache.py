"""The cache of did documents and handles: Redis keeps found and missing ones, and equal requests share one look-up.

If Redis is unavailable or hangs, every request goes to the network, within the same limits.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from atsite.core.atproto.did_document import DidDocument
from atsite.core.atproto.keys import parse_multikey
from atsite.core.atproto.syntax import Did, Handle, is_plc_did
from atsite.core.config import config
from atsite.core.errors import InvalidSyntax
from atsite.core.identity.documents import DOCUMENT_SECONDS, NoSuchIdentity, fetch_document
from atsite.core.identity.handles import HandleLookup, did_of_handle
from atsite.core.in_flight import InFlight
from atsite.core.kv import PREFIX, quick
from atsite.core.kv.quick import RedisAway
from atsite.core.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import redis

    from atsite.core.kv.quick import Asking
    from atsite.core.outgoing import Client

#: A document changes when its owner moves or rotates a key; an invalid signature makes it be fetched earlier.
FOUND_SECONDS = 6 * 3600
#: An account that does not exist now may exist soon.
ABSENT_SECONDS = 5 * 60
#: Requests to the directory, at once and per second: few, because the whole network shares it.
CONCURRENT_LOOKUPS = 20
LOOKUPS_PER_SECOND = 20.0
LOOKUPS_BURST = 80.0
#: Requests to hosts of did:web at once. Separate, so that a host that does not answer cannot block the directory.
CONCURRENT_HOSTS = 8


class Resolver:
    """Resolves dids and handles. For one event loop. `host_seconds`: the time limit for the host of a did:web."""

    def __init__(
        self,
        client: Client,
        cache: Asking | None,
        *,
        plc_url: str,
        handles: HandleLookup,
        loopback: bool = False,
        host_seconds: float = DOCUMENT_SECONDS,
    ) -> None:
        self._client = client
        self._cache = cache
        self._plc_url = plc_url
        self._handles = handles
        self._loopback = loopback
        self._host_seconds = host_seconds
        self._slots = asyncio.Semaphore(CONCURRENT_LOOKUPS)
        self._pace = TokenBucket(LOOKUPS_PER_SECOND, burst=LOOKUPS_BURST)
        self._host_slots = asyncio.Semaphore(CONCURRENT_HOSTS)
        self._asking: InFlight[tuple[Did, bool], DidDocument] = InFlight()

    async def document(self, did: Did, *, fresh: bool = False) -> DidDocument:
        """The document of `did`; `fresh` bypasses the cache. Raises NoSuchIdentity, LookupFailed."""
        return await self._asking.ask((did, fresh), lambda: self._ask(did) if fresh else self._remembered(did))

    async def identify(self, handle: Handle) -> DidDocument:
        """The document of the did that `handle` points to, which must have the same handle.

        Raises NoSuchIdentity (also if the two disagree), LookupFailed.
        """
        handle = Handle(handle.lower())
        cached = await self._cached(f"handle:{handle}")
        if cached == "":
            raise NoSuchIdentity(f"no account has the handle {handle}")
        try:
            did = Did(cached) if cached else await did_of_handle(self._client, handle, self._handles)
            document = await self.document(did)
            if document.handle != handle:
                document = await self.document(did, fresh=True)
        except NoSuchIdentity:
            await self._remember(f"handle:{handle}", "", ABSENT_SECONDS)
            raise
        if document.handle != handle:
            await self._remember(f"handle:{handle}", "", ABSENT_SECONDS)
            raise NoSuchIdentity(f"{handle} points to {did}, whose document has {document.handle or 'no handle'}")
        await self._remember(f"handle:{handle}", did, ABSENT_SECONDS)
        return document

    async def _remembered(self, did: Did) -> DidDocument:
        return unpacked(did, await self._cached(f"did:{did}")) or await self._ask(did)

    async def _ask(self, did: Did) -> DidDocument:
        try:
            document = await (self._from_directory(did) if is_plc_did(did) else self._from_host(did))
        except NoSuchIdentity as error:
            await self._remember(f"did:{did}", json.dumps({"absent": str(error)}), ABSENT_SECONDS)
            raise
        await self._remember(f"did:{did}", _packed(document), FOUND_SECONDS)
        return document

    async def _from_directory(self, did: Did) -> DidDocument:
        async with self._slots:
            await asyncio.sleep(self._pace.take(time.monotonic()))
            return await fetch_document(self._client, did, plc_url=self._plc_url, loopback=self._loopback)

    async def _from_host(self, did: Did) -> DidDocument:
        async with self._host_slots:
            return await fetch_document(
                self._client, did, plc_url=self._plc_url, loopback=self._loopback, seconds=self._host_seconds
            )

    async def _cached(self, key: str) -> str | None:
        return await self._redis(lambda cache: _text(cache.get(PREFIX + key)))

    async def _remember(self, key: str, value: str, seconds: int) -> None:
        await self._redis(lambda cache: _text(cache.set(PREFIX + key, value, ex=seconds)))

    async def _redis(self, call: Callable[[redis.Redis], str | None]) -> str | None:
        if self._cache is None:
            return None
        try:
            return await asyncio.to_thread(self._cache.ask, call)
        except RedisAway:
            return None


def site_resolver(client: Client, *, host_seconds: float = DOCUMENT_SECONDS) -> Resolver:
    """The resolver of this process's site; `client` must allow loopback exactly if config.allow_loopback does."""
    return Resolver(
        client,
        quick.asking(),
        plc_url=config.plc_url,
        handles=HandleLookup(config.handle_resolver_url, loopback=config.allow_loopback),
        loopback=config.allow_loopback,
        host_seconds=host_seconds,
    )


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
