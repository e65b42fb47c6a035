"""Looks up accounts that people entered (handles, dids) on the network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.syntax import Did, is_did, parse_account_did
from atsite.core.config import config
from atsite.core.errors import InvalidSyntax
from atsite.core.identity import LookupFailed, NoSuchIdentity, Resolver, site_resolver
from atsite.core.outgoing import Client
from indexer.index import pasted_identifiers
from indexer.index.pasted_identifiers import NotAnActor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.pasted_identifiers import Actor as Identifier

#: Parallel look-ups. Most of a look-up is waiting for other hosts; the directory has its own rate limits.
AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Actor:
    """An account that was found. `warning`: why it could not be checked; "" if it was."""

    did: Did
    handle: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class NotFound:
    """Why no account was found. `retryable`: a later look-up may succeed."""

    reason: str
    retryable: bool = False


def find(text: str) -> Actor:
    """The account in `text`. Raises NotAnActor, with a message for the person who entered it."""
    (found,) = find_all([pasted_identifiers.actor(text)])
    if isinstance(found, NotFound):
        raise NotAnActor(found.reason)
    return found


def find_all(wanted: Sequence[Identifier]) -> list[Actor | NotFound]:
    """Look up each of `wanted`, in parallel; results are in the same order. Do not call it from a coroutine."""
    return asyncio.run(_find_all(wanted))


async def _find_all(wanted: Sequence[Identifier]) -> list[Actor | NotFound]:
    async with Client(loopback=config.allow_loopback) as client:
        resolver = site_resolver(client)
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(identifier: Identifier) -> Actor | NotFound:
            async with slots:
                return await (_did(resolver, identifier) if is_did(identifier) else _handle(resolver, identifier))

        return await asyncio.gather(*map(one, wanted))


async def _did(resolver: Resolver, did: Did) -> Actor | NotFound:
    """Check that the did exists, because a typing error would add a member that does not exist."""
    try:
        did = parse_account_did(did, loopback=config.allow_loopback)
    except InvalidSyntax as error:
        return NotFound(f"{error}.")
    try:
        document = await resolver.document(did)
    except NoSuchIdentity:
        return NotFound(f"There is no account with the did {pasted_identifiers.shown(did)}.")
    except LookupFailed:
        return Actor(
            did, warning=f"Whether there is an account {pasted_identifiers.shown(did)} could not be checked now."
        )
    return Actor(did, document.handle or "")


async def _handle(resolver: Resolver, handle: str) -> Actor | NotFound:
    try:
        document = await resolver.identify(handle)  # type: ignore[arg-type]  # no did, so a handle
    except NoSuchIdentity as error:
        if "points to" in str(error):
            return NotFound(
                f"{handle} is not confirmed: {error}. Ask its owner for the right handle, or enter the did."
            )
        return NotFound(f"No account has the handle {handle}. Check the spelling, or enter the did.")
    except LookupFailed:
        return NotFound(
            f"{handle} could not be looked up now. Try again in a minute, or enter the did.", retryable=True
        )
    return Actor(document.did, handle)
