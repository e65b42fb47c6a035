"""Asking over real HTTP: an AppView that is ill, and a directory with PDSes."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from unittest.mock import Mock
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.identity import HandleLookup, Resolver
from atsite.core.kv.quick import asking
from atsite.core.outgoing import Client
from indexer.fill import profile_sources
from indexer.fill.profile_sources import AppView, AskLater, Directory
from indexer.fill.profiles import Counts, Profile
from tests.away import closed_port
from tests.core.identity.network import Network, document, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DIDS = [Did(f"did:plc:{number:024d}".replace("0", "a").replace("1", "b")) for number in range(2)]
DIDS += [Did("did:plc:" + letter * 24) for letter in "cdefghijklmnopqrstuvwxyz"][:23]

Answer = tuple[int, dict[str, str], object]


@asynccontextmanager
async def appview(answer: Callable[[list[str]], Answer]) -> AsyncIterator[AppView]:
    """An AppView whose answer for some actors is `answer`'s."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        status, headers, content = answer(parse_qs(urlsplit(target).query)["actors"])
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head += f"Content-Length: {len(body)}\r\nConnection: close\r\n"
        writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listener, Client(loopback=True) as client:
        yield AppView(client, f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")


def told(actors: list[str]) -> Answer:
    return 200, {}, {"profiles": [{"did": did, "handle": "x.test", "followersCount": 1} for did in actors]}


def known(did: Did) -> Profile:
    return Profile(did, "x.test", "", Counts(1, 0, 0))


async def test_all_are_asked_in_one_call() -> None:
    calls: list[list[str]] = []

    def answer(actors: list[str]) -> Answer:
        calls.append(actors)
        return told(actors[:-1])

    async with appview(answer) as asked:
        assert await asked.ask(DIDS) == ({did: known(did) for did in DIDS[:-1]}, set())
    assert calls == [DIDS]


async def test_one_did_that_the_appview_refuses_spoils_nothing_for_the_others() -> None:
    def answer(actors: list[str]) -> Answer:
        return (400, {}, {"error": "InvalidRequest"}) if DIDS[7] in actors else told(actors)

    async with appview(answer) as asked:
        assert await asked.ask(DIDS) == ({did: known(did) for did in DIDS if did != DIDS[7]}, set())


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        ((429, {"Retry-After": "7"}, {}), 7),
        ((429, {"RateLimit-Reset": "1"}, {}), 1),
        ((429, {"RateLimit-Reset": "1800000090"}, {}), 90),
        ((429, {"Retry-After": "999999"}, {}), 3600),
        ((502, {}, b"<html>"), 60),
        ((200, {}, b"<html>"), 60),
        ((400, {}, {}), 3600),
    ],
)
async def test_a_server_that_does_not_answer_is_left_alone(
    answer: Answer, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile_sources, "time", Mock(time=Mock(return_value=1_800_000_000.5)))
    async with appview(lambda _: answer) as asked:
        with pytest.raises(AskLater) as caught:
            await asked.ask(DIDS)
    assert caught.value.seconds == seconds


async def test_a_server_that_is_away_is_left_alone() -> None:
    async with Client(loopback=True) as client:
        with pytest.raises(AskLater):
            await AppView(client, f"http://127.0.0.1:{closed_port()}").ask(DIDS)


def account(network: Network, did: str, handle: str, pds: str) -> None:
    """An account as the directory, the handle's server and its PDS tell of it."""
    service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": pds}
    network.answers[f"/{did}"] = document(did, handle) | {"service": [service]}
    network.answers[f"/xrpc/com.atproto.identity.resolveHandle?handle={handle}"] = {"did": did}
    query = urlencode({"repo": did, "collection": "app.bsky.actor.profile", "rkey": "self"})
    network.answers[f"/xrpc/com.atproto.repo.getRecord?{query}"] = {"value": {"displayName": f"{handle}!"}}


async def test_without_an_appview_the_directory_and_the_pds_tell_names_and_no_counts() -> None:
    mira, noel, otto, piet = DIDS[2:6]
    async with running() as network, Client(loopback=True) as client:
        account(network, mira, "mira.test", network.url)
        account(network, noel, "noel.test", network.url)
        network.answers["/xrpc/com.atproto.identity.resolveHandle?handle=noel.test"] = {"did": mira}  # not noel's
        account(network, otto, "otto.test", f"http://localhost:{closed_port()}")
        handles = HandleLookup(network.url, loopback=True)
        resolver = Resolver(client, None, plc_url=network.url, handles=handles, loopback=True)
        found, failed = await Directory(client, resolver).ask([mira, noel, otto, piet])
    assert found == {mira: Profile(mira, "mira.test", "mira.test!"), noel: Profile(noel, "", "noel.test!")}
    assert failed == {otto}


async def test_an_account_whose_document_claims_the_handle_of_another_has_none() -> None:
    mira, impostor = DIDS[2:4]
    async with running() as network, Client(loopback=True) as client:
        account(network, impostor, "mira.test", network.url)
        account(network, mira, "mira.test", network.url)
        handles = HandleLookup(network.url, loopback=True)
        resolver = Resolver(client, None, plc_url=network.url, handles=handles, loopback=True)
        found, _ = await Directory(client, resolver).ask([mira, impostor])
    assert {did: profile.handle for did, profile in found.items()} == {mira: "mira.test", impostor: ""}


async def test_a_handle_that_changed_is_not_taken_from_memory(valkey: object) -> None:
    (mira,) = DIDS[2:3]
    async with running() as network, Client(loopback=True) as client:
        handles = HandleLookup(network.url, loopback=True)
        resolver = Resolver(client, asking(), plc_url=network.url, handles=handles, loopback=True)
        for handle in ("old.test", "new.test"):
            account(network, mira, handle, network.url)
            found, _ = await Directory(client, resolver).ask([mira])
            assert found[mira].handle == handle
