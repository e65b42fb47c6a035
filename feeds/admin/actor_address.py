"""An actor as people name one: a did, a handle, or a link to a profile."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from atsite.core.atproto.syntax import Did, Handle, is_did, is_handle
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.errors import InvalidSyntax
from atsite.core.identity import LookupFailed, NoSuchIdentity
from feeds.publishing import network
from feeds.ranking import queries

EXAMPLE: Final = "alice.example.com, did:plc:… or a link to a profile"


def read(text: str) -> Did:
    """Whom `text` means: as the index heard of the handle last, else as the network says.

    Raises InvalidSyntax, with a sentence for whoever typed it. Not for coroutines.
    """
    name = _name(text.strip())
    if is_did(name):
        return Did(name)
    handle = name.removeprefix("@").lower()
    if not is_handle(handle):
        raise InvalidSyntax(f"Enter {EXAMPLE}.")
    try:
        if found := queries.did_of_handle(handle):
            return Did(found)
        return asyncio.run(_identified(Handle(handle)))
    except NoSuchIdentity as error:
        raise InvalidSyntax(f"Nobody is called {handle}: {error}.") from error
    except (LookupFailed, ClickHouseError) as error:
        raise InvalidSyntax(f"Nobody can tell now who {handle} is: try again, or enter the did.") from error


def _name(text: str) -> str:
    """The actor in a link to a profile, and any other text as it is."""
    if not text.startswith(("https://", "http://")):
        return text
    try:
        parts = urlsplit(text).path.strip("/").split("/")
    except ValueError:
        return text
    return parts[1] if len(parts) >= 2 and parts[0] == "profile" else text


async def _identified(handle: Handle) -> Did:
    async with network.outside() as (_, resolver):
        return (await resolver.identify(handle)).did
