"""The at-uri of what a pasted address names: its handle is looked up in the network."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from atsite.core.atproto.aturi import SCHEME, AtUri
from atsite.core.atproto.syntax import is_did
from atsite.core.config import config
from atsite.core.identity.account_server import did_of
from atsite.core.outgoing import Client
from indexer.index.pasted_identifiers import Record

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did, Handle
    from indexer.index.pasted_identifiers import Actor


def at_uri_of(found: Actor | Record) -> str:
    """The at-uri by did, of an account or of a record. Not for a coroutine. Raises ServerFailed."""
    if isinstance(found, Record):
        return str(AtUri(_did(found.actor), found.collection, found.rkey))
    return f"{SCHEME}{_did(found)}"


def _did(actor: Did | Handle) -> Did:
    return actor if is_did(actor) else asyncio.run(_asked(actor))


async def _asked(handle: Did | Handle) -> Did:
    async with Client(loopback=config.allow_loopback) as client:
        return await did_of(client, handle)
