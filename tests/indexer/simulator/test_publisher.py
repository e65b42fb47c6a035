"""The publisher's account of the demo, over real HTTP and with the client of the publishing commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.syntax import Did, Handle
from atsite.core.identity import HandleLookup, Resolver
from atsite.core.outgoing import Client
from atsite.core.pds import Pds, PdsError
from indexer.simulator.demo import PUBLISHER, PUBLISHER_HANDLE
from indexer.simulator.serving.publisher import Publisher
from indexer.simulator.serving.server import SimulatedJetstream
from tests.indexer.simulator.jetstream import MemorySource

if TYPE_CHECKING:
    from pathlib import Path

GENERATOR = "app.bsky.feed.generator"


async def test_the_publisher_signs_in_and_its_records_survive_a_restart(tmp_path: Path) -> None:
    record = {"$type": GENERATOR, "displayName": "Hot"}
    server = SimulatedJetstream(MemorySource(), publisher=Publisher(tmp_path, "secret"))
    async with server, Client(loopback=True) as client:
        handles = HandleLookup(resolver_url=server.origin, loopback=True)
        resolver = Resolver(client, None, plc_url=server.origin, handles=handles, loopback=True)
        document = await resolver.identify(Handle(PUBLISHER_HANDLE))
        assert (document.did, document.pds) == (PUBLISHER, server.origin)
        pds = Pds(client, server.origin)
        with pytest.raises(PdsError, match="AuthenticationRequired"):
            await pds.create_session(PUBLISHER, "guessed")
        session = await pds.create_session(PUBLISHER, "secret")
        uri = await pds.put_record(session, GENERATOR, "hot", record)
        assert uri == f"at://{PUBLISHER}/{GENERATOR}/hot"
        await pds.put_record(session, GENERATOR, "other", record)
        await pds.delete_record(session, GENERATOR, "other")
        await pds.delete_session(session)
    server = SimulatedJetstream(MemorySource(), publisher=Publisher(tmp_path, "secret"))
    async with server, Client(loopback=True) as client:
        pds = Pds(client, server.origin)
        assert await pds.get_record(PUBLISHER, GENERATOR, "hot") == record
        assert await pds.get_record(PUBLISHER, GENERATOR, "other") is None
        assert (await pds.list_records(Did(PUBLISHER), GENERATOR)).count(b'"uri"') == 1
        with pytest.raises(PdsError, match="InvalidToken"):
            await pds.put_record(session, GENERATOR, "hot", record)


async def test_without_a_publisher_the_server_takes_no_post() -> None:
    async with SimulatedJetstream(MemorySource()) as server, Client(loopback=True) as client:
        assert (await client.post(f"{server.origin}/xrpc/com.atproto.server.createSession", {})).status == 405
