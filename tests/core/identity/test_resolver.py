from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpcore
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from atsite.core.atproto.did_document import DidDocument
from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did, Handle
from atsite.core.identity import HandleLookup, LookupFailed, NoSuchIdentity, Resolver
from atsite.core.identity.handles import did_of_handle
from atsite.core.kv import PREFIX, quick
from atsite.core.kv.quick import Asking
from atsite.core.outgoing import Client, Fetched, FetchFailed
from atsite.core.outgoing.guard import GuardedBackend
from tests.core.identity.network import Network, document, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import redis

ALICE, BOB = (Did("did:plc:" + letter * 24) for letter in "ab")
KEYS = [public_key_of(ec.derive_private_key(number, ec.SECP256K1())) for number in (7, 8)]
HANDLE = Handle("alice.test")


@asynccontextmanager
async def resolving(
    cache: Asking | None, *, txt: dict[str, list[str]] | None = None
) -> AsyncIterator[tuple[Network, Resolver]]:
    """A network and a resolver on it: handles through its server, or by the given TXT records."""

    async def records(name: str) -> list[str]:
        assert txt is not None
        return txt.get(name, [])

    async def nowhere(host: str, port: int) -> list[str]:
        if host != "localhost":
            raise OSError(host)
        return ["127.0.0.1"]

    backend = GuardedBackend(httpcore.AnyIOBackend(), loopback=True, resolver=nowhere)
    async with running() as network, Client(loopback=True, backend=backend) as client:
        handles = HandleLookup(resolver_url=network.url if txt is None else "", loopback=True, txt=records)
        yield network, Resolver(client, cache, plc_url=network.url, handles=handles, loopback=True)


async def test_a_document_is_asked_once_and_then_remembered(valkey: redis.Redis) -> None:
    async with resolving(quick.asking()) as (network, resolver):
        network.answers[f"/{ALICE}"] = document(ALICE, HANDLE, KEYS[0].multibase)
        found = [await resolver.document(ALICE) for _ in range(3)]
    assert found == [DidDocument(did=ALICE, handle=HANDLE, signing_key=KEYS[0], pds=None)] * 3
    assert network.asked == [f"/{ALICE}"]


async def test_a_fresh_question_sees_the_rotated_key_and_replaces_what_was_remembered(valkey: redis.Redis) -> None:
    async with resolving(quick.asking()) as (network, resolver):
        network.answers[f"/{ALICE}"] = document(ALICE, HANDLE, KEYS[0].multibase)
        await resolver.document(ALICE)
        network.answers[f"/{ALICE}"] = document(ALICE, HANDLE, KEYS[1].multibase)
        keys = [(await resolver.document(ALICE, fresh=fresh)).signing_key for fresh in (False, True, False)]
    assert keys == [KEYS[0], KEYS[1], KEYS[1]]


async def test_nobody_is_remembered_as_nobody(valkey: redis.Redis) -> None:
    async with resolving(quick.asking()) as (network, resolver):
        for _ in range(2):
            with pytest.raises(NoSuchIdentity):
                await resolver.document(ALICE)
    assert network.asked == [f"/{ALICE}"]


async def test_a_directory_in_trouble_is_not_remembered(valkey: redis.Redis) -> None:
    async with resolving(quick.asking()) as (network, resolver):
        network.answers[f"/{ALICE}"] = 503
        with pytest.raises(LookupFailed):
            await resolver.document(ALICE)
        network.answers[f"/{ALICE}"] = document(ALICE, HANDLE)
        assert (await resolver.document(ALICE)).handle == HANDLE


@pytest.mark.parametrize("trouble", ["captive portal", [], {"id": "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"}, 302, 200])
async def test_an_odd_answer_of_the_directory_does_not_mean_that_an_account_is_gone(
    valkey: redis.Redis, trouble: object
) -> None:
    async with resolving(quick.asking()) as (network, resolver):
        network.answers[f"/{ALICE}"] = trouble
        with pytest.raises(LookupFailed):
            await resolver.document(ALICE)
        network.answers[f"/{ALICE}"] = document(ALICE, HANDLE)
        assert (await resolver.document(ALICE)).handle == HANDLE


async def test_many_who_ask_at_once_cause_one_question(valkey: redis.Redis) -> None:
    async with resolving(quick.asking()) as (network, resolver):
        network.answers[f"/{ALICE}"] = document(ALICE, HANDLE)
        network.gate.clear()
        asking = [asyncio.create_task(resolver.document(ALICE)) for _ in range(20)]
        await network.first.wait()
        asking.pop().cancel()  # a caller that gives up does not end it for the others
        network.gate.set()
        found = await asyncio.gather(*asking)
    assert ({each.handle for each in found}, network.asked) == ({HANDLE}, [f"/{ALICE}"])


async def test_an_unreadable_memory_is_as_if_there_were_none(valkey: redis.Redis) -> None:
    for rubbish in ("", "{", "[]", '{"key": "z1"}'):
        valkey.set(f"{PREFIX}did:{ALICE}", rubbish)
        async with resolving(quick.asking()) as (network, resolver):
            network.answers[f"/{ALICE}"] = document(ALICE, HANDLE)
            assert (await resolver.document(ALICE)).handle == HANDLE, rubbish
            assert network.asked == [f"/{ALICE}"], rubbish


async def test_without_redis_the_network_is_asked_each_time() -> None:
    async with resolving(Asking("redis://127.0.0.1:1")) as (network, resolver):
        network.answers[f"/{ALICE}"] = document(ALICE, HANDLE)
        found = [(await resolver.document(ALICE)).handle for _ in range(2)]
    assert (found, len(network.asked)) == ([HANDLE] * 2, 2)


async def test_a_did_web_on_loopback_is_its_well_known_file(valkey: redis.Redis) -> None:
    async with resolving(quick.asking()) as (network, resolver):
        did = Did(f"did:web:localhost%3A{network.port}")
        network.answers["/.well-known/did.json"] = document(did, HANDLE)
        assert (await resolver.document(did)).handle == HANDLE


@pytest.mark.parametrize(
    "did",
    [
        "did:web:example.com:user:alice",
        "did:web:127.0.0.1",
        "did:web:a%2Fb",
        "did:web:localhost%3A1%2Fx",
        "did:key:zQ3",
    ],
)
async def test_other_dids_are_nobody_and_nothing_is_asked(valkey: redis.Redis, did: str) -> None:
    async with resolving(quick.asking()) as (network, resolver):
        with pytest.raises(NoSuchIdentity):
            await resolver.document(Did(did))
    assert network.asked == []


async def test_a_handle_counts_when_both_sides_say_so(valkey: redis.Redis) -> None:
    path = "/xrpc/com.atproto.identity.resolveHandle?handle=alice.test"
    async with resolving(quick.asking()) as (network, resolver):
        network.answers |= {path: {"did": ALICE}, f"/{ALICE}": document(ALICE, HANDLE)}
        found = [(await resolver.identify(Handle("Alice.TEST"))).did for _ in range(2)]
    assert (found, network.asked) == ([ALICE] * 2, [path, f"/{ALICE}"])


async def test_a_handle_whose_did_says_another_name_is_nobody(valkey: redis.Redis) -> None:
    path = "/xrpc/com.atproto.identity.resolveHandle?handle=alice.test"
    async with resolving(quick.asking()) as (network, resolver):
        network.answers |= {path: {"did": ALICE}, f"/{ALICE}": document(ALICE, "mallory.test")}
        for _ in range(2):
            with pytest.raises(NoSuchIdentity):
                await resolver.identify(HANDLE)
    # The document was asked again before the verdict, and the verdict was remembered.
    assert network.asked == [path, f"/{ALICE}", f"/{ALICE}"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({}, NoSuchIdentity),
        ({"did": "rubbish"}, NoSuchIdentity),
        (400, NoSuchIdentity),
        (404, NoSuchIdentity),
        (429, LookupFailed),
        (500, LookupFailed),
    ],
)
async def test_a_server_that_does_not_know_the_handle_and_one_in_trouble_are_told_apart(
    valkey: redis.Redis, answer: object, error: type[Exception]
) -> None:
    async with resolving(quick.asking()) as (network, resolver):
        network.answers["/xrpc/com.atproto.identity.resolveHandle?handle=alice.test"] = answer
        with pytest.raises(error):
            await resolver.identify(HANDLE)


async def test_a_handle_in_dns_needs_no_file(valkey: redis.Redis) -> None:
    async with resolving(quick.asking(), txt={"_atproto.alice.test": ["v=spf1", f"did={ALICE}"]}) as (
        network,
        resolver,
    ):
        network.answers[f"/{ALICE}"] = document(ALICE, HANDLE)
        assert (await resolver.identify(HANDLE)).did == ALICE


@pytest.mark.parametrize(
    "texts", [[], ["did=rubbish"], ["did=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "did=did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"]]
)
async def test_a_handle_without_one_did_in_dns_is_nobody(valkey: redis.Redis, texts: list[str]) -> None:
    async with resolving(quick.asking(), txt={"_atproto.alice.test": texts}) as (network, resolver):
        network.answers |= {f"/{did}": document(did, HANDLE) for did in (ALICE, "did:plc:" + "b" * 24)}
        with pytest.raises(NoSuchIdentity):
            await resolver.identify(HANDLE)


@pytest.mark.parametrize(
    ("dns", "file", "found"),
    [
        ([], (200, f"{ALICE}\n"), ALICE),
        (["did=rubbish"], (200, ALICE), ALICE),
        (None, (200, ALICE), ALICE),
        ([f"did={BOB}"], (200, ALICE), BOB),
        ([], (200, "rubbish"), NoSuchIdentity),
        ([], (404, ALICE), NoSuchIdentity),
        (None, (404, ""), LookupFailed),
        ([], "timeout", LookupFailed),
        ([], "redirects", NoSuchIdentity),
        (None, "timeout", LookupFailed),
    ],
)
async def test_a_handle_leads_to_the_did_in_dns_and_else_to_the_one_on_its_host(
    dns: list[str] | None, file: tuple[int, str] | str, found: object
) -> None:
    """`dns`: None if it does not answer."""

    async def records(name: str) -> list[str]:
        assert name == "_atproto.alice.test"
        if dns is None:
            raise LookupFailed("DNS did not answer")
        return dns

    class Host(Client):
        async def get(self, url: str, **_: Any) -> Fetched:
            assert url == "https://alice.test/.well-known/atproto-did"
            if isinstance(file, str):
                raise FetchFailed(file, "the host gave no answer")
            return Fetched(file[0], {}, file[1].encode())

    async with Host(loopback=False) as client:
        lookup = did_of_handle(client, HANDLE, HandleLookup(txt=records, loopback=True))
        if isinstance(found, str):
            assert await lookup == found
        else:
            with pytest.raises(found):  # type: ignore[call-overload]
                await lookup


@pytest.mark.parametrize("handle", ["alice.test", "alice.localhost", "alice.onion"])
async def test_a_reserved_name_is_nobody_s_on_the_public_network(handle: str) -> None:
    async with Client(loopback=False) as client:
        with pytest.raises(NoSuchIdentity, match="is a reserved name"):
            await did_of_handle(client, Handle(handle), HandleLookup())
