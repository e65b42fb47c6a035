"""Tokens of readers, checked against a directory on loopback. Each claim: tests/core/atproto/test_service_jwt.py."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpcore
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.service_jwt import BadToken, ServiceToken
from atsite.core.atproto.syntax import Did
from atsite.core.identity import HandleLookup, Resolver, SigningKeys
from atsite.core.kv import PREFIX, quick
from atsite.core.kv.quick import Asking, RedisAway
from atsite.core.outgoing import Client
from atsite.core.outgoing.guard import GuardedBackend
from atsite.core.web.auth import ServiceAuth, Unverifiable, Viewer, bearer, take_jti
from tests.core.identity.network import Network, document, running
from tests.tokens import SKELETON, key, token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    import redis

SERVICE = "did:web:feeds.example"
ALICE = Did("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
P256 = key(7, ec.SECP256R1())
K256 = key(7)
NOWHERE = Asking("redis://127.0.0.1:1")


@dataclass
class Recorder(httpcore.AsyncNetworkBackend):
    """httpcore's network, and what it was told to connect to."""

    inner: httpcore.AsyncNetworkBackend = field(default_factory=httpcore.AnyIOBackend)
    connected: list[tuple[str, int]] = field(default_factory=list)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append((host, port))
        return await self.inner.connect_tcp(host, port, timeout, local_address, socket_options)


@dataclass
class Door:
    """Where tokens are checked, the directory it asks, and the connections it made."""

    network: Network
    auth: ServiceAuth
    sockets: Recorder

    def publish(self, private: ec.EllipticCurvePrivateKey, did: Did = ALICE) -> None:
        self.network.answers[f"/{did}"] = document(did, "alice.test", public_key_of(private).multibase)

    async def verdict(self, header: str | None) -> str | None:
        """The did of the reader, None for nobody, or the name of the error."""
        try:
            viewer = await self.auth.authenticate(header, SKELETON, time.time())
        except BadToken as bad:
            return bad.name
        except Unverifiable as unverifiable:
            return unverifiable.name
        return None if viewer is None else viewer.did


@asynccontextmanager
async def door(
    cache: Asking | None, *, audience: str = SERVICE, loopback: bool = True, hosts: dict[str, str] | None = None
) -> AsyncIterator[Door]:
    """`hosts`: what names resolve to, where they are not asked of this machine's resolver."""

    async def resolve(host: str, port: int) -> list[str]:
        return [(hosts or {}).get(host, "127.0.0.1")]

    sockets = Recorder()
    backend = GuardedBackend(sockets, loopback=loopback, resolver=resolve)
    async with running() as network, Client(loopback=loopback, backend=backend) as client:
        resolver = Resolver(client, cache, plc_url=network.url, handles=HandleLookup(), loopback=loopback)
        yield Door(network, ServiceAuth(audience=audience, keys=SigningKeys(resolver, cache)), sockets)
        network.gate.set()


def bearing(private: ec.EllipticCurvePrivateKey = K256, *, iss: str = ALICE, **changes: Any) -> str:
    return "Bearer " + token(private, iss=iss, **{"aud": SERVICE, **changes})


@pytest.mark.parametrize("private", [K256, P256], ids=["ES256K", "ES256"])
async def test_a_reader_is_known_by_the_key_of_its_document(
    valkey: redis.Redis, private: ec.EllipticCurvePrivateKey
) -> None:
    async with door(quick.asking()) as here:
        here.publish(private)
        assert [await here.verdict(bearing(private)) for _ in range(3)] == [ALICE] * 3
        assert here.network.asked == [f"/{ALICE}"]


async def test_the_token_of_a_reader_is_at_hand_and_its_did_not_in_its_repr(valkey: redis.Redis) -> None:
    async with door(quick.asking()) as here:
        here.publish(K256)
        expires_at = int(time.time()) + 60
        viewer = await here.auth.authenticate(bearing(exp=expires_at), SKELETON, time.time())
        assert viewer == Viewer(ServiceToken(ALICE, float(expires_at), "a1"))
        assert repr(viewer) == "Viewer()"


async def test_only_a_reader_whose_token_was_verified_is_a_proven_one(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proven readers have a budget of look-ups that unknown issuers cannot use up."""
    proven: list[str] = []
    async with door(quick.asking()) as here:
        here.publish(K256)
        monkeypatch.setattr(here.auth._keys, "prove", proven.append)
        assert [await here.verdict(bearing(key(8))), await here.verdict(None)] == ["BadJwtSignature", None]
        assert proven == []
        assert await here.verdict(bearing()) == ALICE
    assert proven == [ALICE]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("Bearer atsk_23456789bcdf_secret", None),
        ("Bearer a.b.c", "a.b.c"),
        ("bearer a.b.c", "a.b.c"),
        ("Bearer", ""),
        ("Bearer x y", "x y"),
    ],
)
def test_what_an_authorization_header_holds(header: str | None, expected: str | None) -> None:
    assert bearer(header) == expected


@pytest.mark.parametrize("header", ["Basic YTpi", "DPoP a.b.c", "a.b.c", "atsk_23456789bcdf_secret", "Bearer\ta.b.c"])
def test_another_scheme_is_not_taken_for_nobody(header: str) -> None:
    with pytest.raises(BadToken) as bad:
        bearer(header)
    assert bad.value.name == "AuthenticationRequired"


async def test_claims_are_checked_before_anybody_is_asked(valkey: redis.Redis) -> None:
    async with door(quick.asking()) as here:
        headers = [
            "Bearer",
            "Bearer x",
            bearing(aud="did:web:other.example"),
            bearing(lxm="app.bsky.feed.getFeed"),
            bearing(exp=1),
            bearing(iss=f"{ALICE}#atproto"),
        ]
        assert [await here.verdict(header) for header in headers] == [
            "BadJwt",
            "BadJwt",
            "BadJwtAudience",
            "BadJwtLexiconMethod",
            "JwtExpired",
            "BadJwtIss",
        ]
        assert here.sockets.connected == []


async def test_a_service_without_a_did_has_no_readers(valkey: redis.Redis) -> None:
    async with door(quick.asking(), audience="") as here:
        here.publish(K256)
        assert [await here.verdict(bearing(aud=aud)) for aud in ("", "#bsky_fg", SERVICE)] == ["BadJwtAudience"] * 3


async def test_a_rotated_key_is_asked_for_once_and_the_old_one_is_no_longer_good(valkey: redis.Redis) -> None:
    async with door(quick.asking()) as here:
        here.publish(K256)
        assert await here.verdict(bearing(K256)) == ALICE
        here.publish(P256)
        assert [await here.verdict(bearing(P256)) for _ in range(2)] == [ALICE, ALICE]
        assert [await here.verdict(bearing(K256)) for _ in range(5)] == ["BadJwtSignature"] * 5
        assert here.network.asked == [f"/{ALICE}"] * 2


async def test_bad_signatures_ask_the_directory_once(valkey: redis.Redis) -> None:
    async with door(quick.asking()) as here:
        here.publish(K256)
        assert [await here.verdict(bearing(key(9))) for _ in range(5)] == ["BadJwtSignature"] * 5
        assert await here.verdict(bearing(K256)) == ALICE
        assert here.network.asked == [f"/{ALICE}"] * 2


async def test_an_unknown_issuer_and_one_without_a_key_are_bad_issuers(valkey: redis.Redis) -> None:
    async with door(quick.asking()) as here:
        bob = Did("did:plc:bbbbbbbbbbbbbbbbbbbbbbbb")
        here.network.answers[f"/{bob}"] = document(bob, "bob.test")
        assert [await here.verdict(bearing()), await here.verdict(bearing(iss=bob))] == ["BadJwtIss"] * 2


async def test_a_directory_that_fails_proves_nothing(valkey: redis.Redis) -> None:
    async with door(quick.asking()) as here:
        here.network.answers[f"/{ALICE}"] = 503
        assert await here.verdict(bearing()) == "UpstreamFailure"
        here.publish(K256)
        assert await here.verdict(bearing()) == ALICE


async def test_a_directory_that_hangs_is_not_waited_for_and_its_late_answer_is_used(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atsite.core.web.auth.PATIENCE_SECONDS", 0.05)
    async with door(quick.asking()) as here:
        here.publish(K256)
        here.network.gate.clear()
        assert await here.verdict(bearing()) == "UpstreamFailure"
        here.network.gate.set()
        monkeypatch.setattr("atsite.core.web.auth.PATIENCE_SECONDS", 20)
        assert await here.verdict(bearing()) == ALICE
        assert here.network.asked == [f"/{ALICE}"]


async def test_an_answer_that_depends_on_the_reader_waits_longer_than_one_that_does_not(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atsite.core.web.auth.PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("atsite.core.web.auth.MORE_PATIENCE_SECONDS", 20)
    async with door(quick.asking()) as here:
        here.publish(K256)
        here.network.gate.clear()

        async def depends(answer: bool) -> bool:
            if answer:
                here.network.gate.set()
            return answer

        async def ask(answer: bool) -> Viewer | None:
            return await here.auth.authenticate(bearing(), SKELETON, time.time(), insist=lambda: depends(answer))

        with pytest.raises(Unverifiable):
            await ask(False)
        viewer = await ask(True)
        assert viewer is not None
        assert viewer.did == ALICE


async def test_a_key_that_may_have_been_rotated_proves_nothing_while_the_directory_fails(valkey: redis.Redis) -> None:
    async with door(quick.asking()) as here:
        here.publish(K256)
        assert await here.verdict(bearing(K256)) == ALICE
        here.network.answers[f"/{ALICE}"] = 503
        assert [await here.verdict(bearing(P256)) for _ in range(2)] == ["UpstreamFailure"] * 2
        assert await here.verdict(bearing(K256)) == ALICE


async def test_without_redis_readers_are_known_all_the_same() -> None:
    async with door(NOWHERE) as here:
        here.publish(K256)
        assert [await here.verdict(bearing()) for _ in range(2)] == [ALICE, ALICE]
        assert here.network.asked == [f"/{ALICE}"]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
async def test_an_issuer_on_a_private_address_is_refused_and_nothing_is_connected(
    valkey: redis.Redis, address: str
) -> None:
    async with door(quick.asking(), loopback=False, hosts={"inside.example.com": address}) as here:
        assert await here.verdict(bearing(iss="did:web:inside.example.com")) == "BadJwtIss"
        assert await here.verdict(bearing(iss=f"did:web:localhost%3A{here.network.port}")) == "BadJwtIss"
        assert here.sockets.connected == []


def test_a_jti_is_taken_once_for_each_issuer_and_kept_until_the_token_expires(valkey: redis.Redis) -> None:
    now = 1_800_000_000.0
    first = ServiceToken(ALICE, now + 60, "a1")
    take_jti(first, now)
    with pytest.raises(BadToken) as bad:
        take_jti(first, now)
    assert (bad.value.name, str(bad.value)) == ("BadJwt", "the token was used before")
    take_jti(ServiceToken(ALICE, now + 60, "a2"), now)
    take_jti(ServiceToken(Did("did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"), now + 60, "a1"), now)
    lives = {valkey.ttl(name) for name in valkey.scan_iter(f"{PREFIX}jti:*")}
    assert lives <= {119, 120}


def test_a_token_without_a_jti_does_not_write(valkey: redis.Redis) -> None:
    with pytest.raises(BadToken) as bad:
        take_jti(ServiceToken(ALICE, 1_800_000_060.0, None), 1_800_000_000.0)
    assert bad.value.name == "BadJwt"


def test_without_redis_no_jti_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "asking", lambda: NOWHERE)
    with pytest.raises(RedisAway):
        take_jti(ServiceToken(ALICE, 1_800_000_060.0, "a1"), 1_800_000_000.0)
