"""Reads an actor that a person entered: a did, a handle, or a link to a profile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import Handle, is_did
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.errors import InvalidSyntax
from atsite.core.identity import LookupFailed, NoSuchIdentity
from feeds.publishing import network
from indexer.index import pasted
from indexer.index.handles import did_of_handle

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

EXAMPLE: Final = "alice.example.com, did:plc:… or a link to a profile"


def read(text: str) -> Did:
    """The did of the actor in `text`; a handle is looked up in the index, then on the network.

    Raises InvalidSyntax, with a message for the person who entered it. Blocks, so do not call it from a coroutine.
    """
    handle = pasted.actor(text, otherwise=f"Enter {EXAMPLE}.")
    if is_did(handle):
        return handle
    try:
        return did_of_handle(handle) or asyncio.run(_identified(Handle(handle)))
    except NoSuchIdentity as error:
        raise InvalidSyntax(f"No account has the handle {handle}: {error}.") from error
    except (LookupFailed, ClickHouseError) as error:
        raise InvalidSyntax(f"The handle {handle} cannot be looked up now: try again, or enter the did.") from error


async def _identified(handle: Handle) -> Did:
    async with network.client_and_resolver() as (_, resolver):
        return (await resolver.identify(handle)).did
