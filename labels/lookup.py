"""From what people write to the dids that it means now, asked of the network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import Did, is_did, parse_account_did
from atsite.core.config import config
from atsite.core.errors import InvalidSyntax
from atsite.core.identity import LookupFailed, NoSuchIdentity, Resolver, site_resolver
from atsite.core.outgoing import Client
from indexer.index import pasted
from indexer.index.pasted import NotAnActor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.pasted import Actor as Identifier

#: Looked up at once. Most of a look-up is waiting for other hosts; the directory has limits of its own.
AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who was found. `doubt`: why it could not be checked, "" where it was."""

    did: Did
    handle: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Unfound:
    """Why there is nobody; `passing`: asking later may help."""

    reason: str
    passing: bool = False


def find(text: str) -> Actor:
    """The actor that `text` means. Raises NotAnActor, with a sentence for the person who wrote it."""
    (found,) = find_all([pasted.actor(text)])
    if isinstance(found, Unfound):
        raise NotAnActor(found.reason)
    return found


def find_all(wanted: Sequence[Identifier]) -> list[Actor | Unfound]:
    """Each of `wanted`, in its order; many at once. Not from a coroutine."""
    return asyncio.run(_find_all(wanted))


async def _find_all(wanted: Sequence[Identifier]) -> list[Actor | Unfound]:
    async with Client(loopback=config.allow_loopback) as client:
        resolver = site_resolver(client)
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(identifier: Identifier) -> Actor | Unfound:
            async with slots:
                return await (_did(resolver, identifier) if is_did(identifier) else _handle(resolver, identifier))

        return await asyncio.gather(*map(one, wanted))


async def _did(resolver: Resolver, did: Did) -> Actor | Unfound:
    """A did is right as it is; it is looked up because a wrong letter would make a member of nobody."""
    try:
        parse_account_did(did, loopback=config.allow_loopback)
    except InvalidSyntax as error:
        return Unfound(f"{error}.")
    try:
        document = await resolver.document(did)
    except NoSuchIdentity:
        return Unfound(f"There is no account with the did {pasted.shown(did)}.")
    except LookupFailed:
        return Actor(did, doubt=f"Whether there is an account {pasted.shown(did)} could not be checked now.")
    return Actor(did, document.handle or "")


async def _handle(resolver: Resolver, handle: str) -> Actor | Unfound:
    try:
        document = await resolver.identify(handle)  # type: ignore[arg-type]  # no did, so a handle
    except NoSuchIdentity as error:
        if "points to" in str(error):
            return Unfound(f"{handle} is not confirmed: {error}. Ask its owner for the right handle, or enter the did.")
        return Unfound(f"No account has the handle {handle}. Check the spelling, or enter the did.")
    except LookupFailed:
        return Unfound(f"{handle} could not be looked up now. Try again in a minute, or enter the did.", passing=True)
    return Actor(document.did, handle)
