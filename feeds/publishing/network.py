"""Network access for the commands that publish and check a feed: an HTTP client and a resolver, for one run."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Did
from atsite.core.config import config
from atsite.core.errors import AtsiteError
from atsite.core.identity import HandleLookup, Resolver
from atsite.core.outgoing import Client
from atsite.core.pds import Pds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from atsite.core.pds import Session


@asynccontextmanager
async def client_and_resolver() -> AsyncIterator[tuple[Client, Resolver]]:
    """A client and a resolver without a cache, configured from the settings."""
    async with Client(loopback=config.allow_loopback) as client:
        handles = HandleLookup(resolver_url=config.handle_resolver_url, loopback=config.allow_loopback)
        yield (
            client,
            Resolver(client, None, plc_url=config.plc_url, handles=handles, loopback=config.allow_loopback),
        )


@asynccontextmanager
async def publisher_session() -> AsyncIterator[tuple[Pds, Session]]:
    """A session of the publisher (FEED_ACTOR_DID) at their PDS, with PUBLISHER_APP_PASSWORD; signed out at the end.

    Raises AtsiteError (a setting is missing), PdsError, NoSuchIdentity, LookupFailed.
    """
    if not config.feed_actor_did or not config.publisher_app_password:
        raise AtsiteError(
            "set FEED_ACTOR_DID to the account that publishes, and PUBLISHER_APP_PASSWORD to one of its app passwords"
        )
    async with client_and_resolver() as (client, resolver):
        document = await resolver.document(Did(config.feed_actor_did))
        if document.pds is None:
            raise AtsiteError(f"{document.did} has no PDS in its did document")
        pds = Pds(client, document.pds)
        session = await pds.create_session(document.did, config.publisher_app_password)
        try:
            yield pds, session
        finally:
            await pds.delete_session(session)
