"""The demo account that tries clean-ups, over real HTTP and with the clients of clean-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.syntax import Did, Handle
from atsite.core.clock import now_us
from atsite.core.identity import HandleLookup, Resolver
from atsite.core.outgoing import Client
from atsite.core.pds import Create, Delete, Pds, PdsError
from atsite.core.repo import open_repo
from indexer.simulator.demo import OWNER, OWNER_APP_PASSWORD, OWNER_HANDLE
from indexer.simulator.network.owner_records import COUNT, owner_records
from indexer.simulator.serving.owner import Owner
from indexer.simulator.serving.publisher import Publisher
from indexer.simulator.serving.server import SimulatedJetstream
from search.cleanup.planning.plan import make_plan
from search.cleanup.planning.protections import RepoRecord
from search.cleanup.planning.record_types import RecordType
from search.cleanup.planning.rules import Rules
from tests.indexer.simulator.jetstream import MemorySource
from tests.search.cleanup.repo import CID

if TYPE_CHECKING:
    from pathlib import Path

DID = Did(OWNER)


async def test_the_owner_signs_in_and_a_repo_is_read_and_written(tmp_path: Path) -> None:
    server = SimulatedJetstream(MemorySource(), owner=Owner(now_us), publisher=Publisher(tmp_path, "secret"))
    async with server, Client(loopback=True) as client:
        handles = HandleLookup(resolver_url=server.origin, loopback=True)
        document = await Resolver(client, None, plc_url=server.origin, handles=handles, loopback=True).identify(
            Handle(OWNER_HANDLE)
        )
        assert (document.did, document.pds) == (DID, server.origin)
        assert document.signing_key is not None
        pds = Pds(client, server.origin)
        with pytest.raises(PdsError, match="AuthenticationRequired"):
            await pds.create_session(OWNER, "aaaa-aaaa-aaaa-aaaa")
        session = await pds.create_session(OWNER, OWNER_APP_PASSWORD)
        assert session.scope == "com.atproto.appPass"
        renewed = await pds.refresh_session(session)
        head = await pds.latest_commit(DID)
        file = tmp_path / "repo.car"
        file.write_bytes((await client.get(pds.repo_url(DID), max_bytes=10_000_000)).body)
        with open_repo(file, DID, document.signing_key) as repo:
            keys = [f"{collection}/{rkey}" for collection, rkey, _ in repo.record_keys()]
            value = repo.value(keys[0])
            assert (repo.rev, repo.cid) == (head.rev, head.cid)
        assert len(keys) > COUNT
        collection, _, rkey = keys[0].partition("/")
        with pytest.raises(PdsError, match="ExpiredToken"):
            await pds.apply_writes(session, [Delete(collection, rkey)], swap_commit=head.cid)
        deleted = await pds.apply_writes(renewed, [Delete(collection, rkey)], swap_commit=head.cid)
        assert deleted.commit == await pds.latest_commit(DID)
        with pytest.raises(PdsError, match="InvalidSwap"):
            await pds.apply_writes(renewed, [Delete(*keys[1].split("/"))], swap_commit=head.cid)
        with pytest.raises(PdsError, match="InternalServerError"):
            await pds.apply_writes(renewed, [Delete(collection, rkey)], swap_commit="")
        assert await pds.get_record(OWNER, collection, rkey) is None
        await pds.apply_writes(renewed, [Create(collection, rkey, value)], swap_commit="")
        assert await pds.get_record(OWNER, collection, rkey) == value
        await pds.delete_session(renewed)
        with pytest.raises(PdsError, match="ExpiredToken"):
            await pds.refresh_session(renewed)
        assert (await pds.create_session("feeds.demo.test", "secret")).did != OWNER


def test_a_plan_of_the_records_has_every_type_and_keeps_some() -> None:
    now = now_us()
    records = [
        RepoRecord(path.split("/")[0], path.split("/")[1], CID, value) for path, value in owner_records(now).items()
    ]
    plan = make_plan(OWNER, records, Rules(types=frozenset(RecordType), delete_until_days_ago=365), {}, now)
    assert set(plan.going_by_type) == set(RecordType)
    assert plan.gates
    reasons = {reason.value for reason in plan.kept_by_reason}
    assert {"pinned", "self_liked", "marks_own_post", "too_new"} <= reasons
    assert "not_understood" not in reasons
    assert 0.4 < plan.deletes / len(records) < 0.8
