"""Resolves dids and handles, each verified by the other, within a budget of requests to the network.

Equal requests share one look-up; what was found is remembered (atsite.core.identity.did_cache).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Did, Handle, is_plc_did
from atsite.core.config import config
from atsite.core.identity.did_cache import DidCache
from atsite.core.identity.documents import DOCUMENT_SECONDS, NoSuchIdentity, fetch_document
from atsite.core.identity.handles import HandleLookup, did_of_handle
from atsite.core.in_flight import InFlight
from atsite.core.kv import quick
from atsite.core.token_bucket import TokenBucket
from atsite.core.worker_share import share_of

if TYPE_CHECKING:
    from atsite.core.atproto.did_document import DidDocument
    from atsite.core.kv.quick import Asking
    from atsite.core.outgoing import Client

#: Requests to the directory, at once and per second: few, because the whole network shares it.
CONCURRENT_LOOKUPS = 20
LOOKUPS_PER_SECOND = 20.0
LOOKUPS_BURST = 80
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
        self._cache = DidCache(cache)
        self._plc_url = plc_url
        self._handles = handles
        self._loopback = loopback
        self._host_seconds = host_seconds
        self._slots = asyncio.Semaphore(share_of(CONCURRENT_LOOKUPS))
        self._pace = TokenBucket(LOOKUPS_PER_SECOND / config.workers, burst=share_of(LOOKUPS_BURST))
        self._host_slots = asyncio.Semaphore(share_of(CONCURRENT_HOSTS))
        self._asking: InFlight[tuple[Did, bool], DidDocument] = InFlight()

    async def document(self, did: Did, *, fresh: bool = False) -> DidDocument:
        """The document of `did`; `fresh` bypasses the cache. Raises NoSuchIdentity, LookupFailed."""
        return await self._asking.ask((did, fresh), lambda: self._ask(did) if fresh else self._remembered(did))

    async def identify(self, handle: Handle) -> DidDocument:
        """The document of the did that `handle` points to, which must have the same handle.

        Raises NoSuchIdentity (also if the two disagree), LookupFailed.
        """
        handle = Handle(handle.lower())
        cached = await self._cache.did_of(handle)
        if cached == "":
            raise NoSuchIdentity(f"no account has the handle {handle}")
        try:
            did = Did(cached) if cached else await did_of_handle(self._client, handle, self._handles)
            document = await self.document(did)
            if document.handle != handle:
                document = await self.document(did, fresh=True)
        except NoSuchIdentity:
            await self._cache.keep_handle(handle, "")
            raise
        if document.handle != handle:
            await self._cache.keep_handle(handle, "")
            raise NoSuchIdentity(f"{handle} points to {did}, whose document has {document.handle or 'no handle'}")
        await self._cache.keep_handle(handle, did)
        return document

    async def _remembered(self, did: Did) -> DidDocument:
        return await self._cache.document(did) or await self._ask(did)

    async def _ask(self, did: Did) -> DidDocument:
        try:
            document = await (self._from_directory(did) if is_plc_did(did) else self._from_host(did))
        except NoSuchIdentity as error:
            await self._cache.keep_absence(did, str(error))
            raise
        await self._cache.keep_document(document)
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
