"""Who reads a feed, over HTTP: a real feed generator, and a directory of dids on loopback."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import AsyncClient, override_settings

from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did
from atsite.core.identity import HandleLookup, Resolver, SigningKeys
from atsite.core.outgoing import Client
from atsite.core.web.auth import ServiceAuth
from feeds.ranking.feed import FeedPage, FeedRequest
from feeds.serving import api, page_threads, reading
from feeds.serving.ready_pages import ReadyPages
from feeds.serving.registry import Registry
from tests.core.identity import network as networks
from tests.core.identity.network import Network, document
from tests.feeds import service as services
from tests.feeds.collector import Collector, collecting
from tests.feeds.service import FEED, SKELETON, Service
from tests.feeds.serving.test_http import publish
from tests.feeds.serving.test_skeleton import DEFINITION, POST, Fixed
from tests.tokens import ABSENT, key, part, token
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


SERVICE = "did:web:feeds.example.com"
P256 = key(5, ec.SECP256R1())
K256 = key(5)


@dataclass
class Site:
    """A running feed generator, the directory it asks, and the collector it sends its spans to."""

    service: Service
    network: Network
    spans: Collector
    dids: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    published: bool = False

    def someone(self, private: ec.EllipticCurvePrivateKey | None = K256) -> str:
        """A did that was never seen before, whose document has this key; None: there is no document."""
        number = len(self.dids)
        did = "did:plc:" + "q" * 20 + "".join("abcdefghij"[int(digit)] for digit in f"{number:04}")
        self.dids.append(did)
        if private is not None:
            self.rotate(did, private)
        return did

    def rotate(self, did: str, private: ec.EllipticCurvePrivateKey) -> None:
        self.network.answers[f"/{did}"] = document(did, "reader.test", public_key_of(private).multibase)

    def ask(self, header: str | None) -> tuple[int, str | None]:
        """Status of a first page, and the error's name where it is none.

        Asked again while the key could not be had: the service waits a second for it, and looks up a few new readers a
        second, while a machine may be slow and tests follow each other fast.
        """
        answers: list[tuple[int, str | None]] = []

        def was_verifiable() -> bool:
            before = self.service.unverifiable()
            answers.append(self.ask_once(header))
            return self.service.unverifiable() == before

        until(was_verifiable, "the key can be had")
        return answers[-1]

    def ask_once(self, header: str | None) -> tuple[int, str | None]:
        """The same, whether the key could be had or not."""
        if header is not None:
            self.tokens.append(header.partition(" ")[2])
        headers = {} if header is None else {"Authorization": header}
        response = self.service.http.get(SKELETON, params={"feed": FEED, "limit": 3}, headers=headers)
        body: dict[str, Any] = response.json()
        if response.status_code == 200:
            assert len(body["feed"]) == 3
            return 200, None
        assert sorted(body) == ["error", "message"]
        assert response.status_code != 401 or response.headers["WWW-Authenticate"] == "Bearer"
        return response.status_code, body["error"]


@pytest.fixture(scope="module")
def process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with networks.in_a_thread() as network, collecting() as spans:
        variables = {"PLC_URL": network.url, "ALLOW_LOOPBACK": "1", **spans.variables}
        with services.running(tmp_path_factory.mktemp("feedgen"), **variables) as service:
            yield Site(service, network, spans)


@pytest.fixture
def site(process: Site, request: pytest.FixtureRequest) -> Site:
    """The running site. Its feed has ten posts, made once: here nothing changes them."""
    if not process.published:
        request.getfixturevalue("clickhouse")
        request.getfixturevalue("valkey")
        publish(10)
        process.published = True
    return process


def good(site: Site, private: ec.EllipticCurvePrivateKey = K256, **changes: Any) -> str:
    """A token of someone new, which is good but for the changes."""
    return "Bearer " + token(private, **{"iss": site.someone(private), "aud": SERVICE, **changes})


def resigned(site: Site, algorithm: str, secret: bytes | str) -> str:
    """The claims of a good token under another algorithm."""
    claims = jwt.decode(good(site).partition(" ")[2], options={"verify_signature": False})
    return "Bearer " + jwt.encode(claims, secret, algorithm=algorithm)


def hs256_with_the_public_key(site: Site) -> str:
    """PyJWT will not even sign with a PEM or DER as secret; the bare point is as public."""
    return resigned(site, "HS256", public_key_of(K256).point)


def other_algorithm_in_the_header(site: Site) -> str:
    _, payload, signature = good(site).partition(" ")[2].split(".")
    return f"Bearer {part(json.dumps({'alg': 'ES256', 'typ': 'JWT'}).encode())}.{payload}.{signature}"


def other_issuer_in_the_claims(site: Site) -> str:
    head, payload, signature = good(site).partition(" ")[2].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return f"Bearer {head}.{part(json.dumps({**claims, 'iss': site.someone()}).encode())}.{signature}"


def unreadable_directory(site: Site, answer: Any) -> str:
    header = good(site)
    site.network.answers[f"/{site.dids[-1]}"] = answer
    return header


def on_loopback(site: Site) -> str:
    """A did:web of this machine, which the site may ask."""
    did = f"did:web:localhost%3A{site.network.port}"
    site.dids.append(did)
    site.network.answers["/.well-known/did.json"] = document(did, "x.test", public_key_of(K256).multibase)
    return "Bearer " + token(K256, iss=did, aud=SERVICE)


CASES: dict[str, tuple[Callable[[Site], str | None], int, str | None]] = {
    "none": (lambda site: None, 200, None),
    "an unknown API key": (lambda site: "Bearer atsk_23456789bcdf_" + "s" * 43, 401, "AuthenticationRequired"),
    "no API key": (lambda site: "Bearer atsk_", 401, "AuthenticationRequired"),
    "a lone surrogate": (lambda site: good(site, jti="\ud800"), 401, "BadJwt"),
    "padding": (lambda site: good(site) + "==", 401, "BadJwt"),
    "ES256K": (lambda site: good(site, K256), 200, None),
    "ES256": (lambda site: good(site, P256), 200, None),
    "garbage": (lambda site: "Bearer garbage", 401, "BadJwt"),
    "another scheme": (lambda site: "Basic YTpi", 401, "AuthenticationRequired"),
    "alg none": (lambda site: resigned(site, "none", ""), 401, "BadJwt"),
    "HS256 with the public key": (hs256_with_the_public_key, 401, "BadJwt"),
    "wrong key": (lambda site: good(site, key(6), iss=site.someone(K256)), 401, "BadJwtSignature"),
    "wrong curve": (lambda site: good(site, P256, iss=site.someone(K256)), 401, "BadJwtSignature"),
    "alg of the other curve": (other_algorithm_in_the_header, 401, "BadJwtSignature"),
    "expired": (lambda site: good(site, exp=time.time() - 61), 401, "JwtExpired"),
    "expired within the skew": (lambda site: good(site, exp=time.time() - 20), 200, None),
    "not yet valid": (lambda site: good(site, iat=time.time() + 90, exp=time.time() + 150), 401, "BadJwt"),
    "not yet valid within the skew": (lambda site: good(site, iat=time.time() + 40), 200, None),
    "no exp": (lambda site: good(site, exp=ABSENT), 401, "BadJwt"),
    "another service": (lambda site: good(site, aud="did:web:other.example.com"), 401, "BadJwtAudience"),
    "a prefix of the service": (lambda site: good(site, aud="did:web:feeds.example"), 401, "BadJwtAudience"),
    "a longer did": (lambda site: good(site, aud=f"{SERVICE}.evil.com"), 401, "BadJwtAudience"),
    "a list of services": (lambda site: good(site, aud=[SERVICE]), 401, "BadJwtAudience"),
    "aud with the fragment": (lambda site: good(site, aud=f"{SERVICE}#bsky_fg"), 200, None),
    "aud with another fragment": (lambda site: good(site, aud=f"{SERVICE}#atproto_labeler"), 401, "BadJwtAudience"),
    "another method": (lambda site: good(site, lxm="app.bsky.feed.getFeed"), 401, "BadJwtLexiconMethod"),
    "no method": (lambda site: good(site, lxm=ABSENT), 401, "BadJwtLexiconMethod"),
    "unknown issuer": (lambda site: good(site, iss=site.someone(None)), 401, "BadJwtIss"),
    "issuer with a fragment": (lambda site: good(site, iss=site.someone() + "#atproto"), 401, "BadJwtIss"),
    "issuer of another kind": (lambda site: good(site, iss="did:key:zQ3sh"), 401, "BadJwtIss"),
    "no issuer": (lambda site: good(site, iss=ABSENT), 401, "BadJwtIss"),
    "high S": (lambda site: good(site, high_s=True), 401, "BadJwtSignature"),
    "high S, ES256": (lambda site: good(site, P256, high_s=True), 401, "BadJwtSignature"),
    "changed claims": (other_issuer_in_the_claims, 401, "BadJwtSignature"),
    "an access token": (lambda site: good(site, header={"typ": "at+jwt"}), 401, "BadJwtType"),
    "a token of another key": (lambda site: good(site, header={"kid": "#atproto_label"}), 401, "BadJwt"),
    "the directory knows nobody": (lambda site: unreadable_directory(site, 404), 401, "BadJwtIss"),
    "did:web on this machine, which is open": (on_loopback, 200, None),
}


@pytest.mark.parametrize("case", CASES)
def test_each_token_has_its_answer(site: Site, case: str) -> None:
    header, status, name = CASES[case]
    assert site.ask(header(site)) == (status, name)


@pytest.mark.parametrize("answer", [503, {"id": "did:plc:ghostghostghostghostghos"}], ids=["503", "another's document"])
def test_while_the_directory_makes_no_sense_a_page_that_is_for_all_is_answered(site: Site, answer: object) -> None:
    header = unreadable_directory(site, answer)
    before = site.service.unverifiable()
    assert site.ask_once(header) == (200, None)
    assert site.service.unverifiable() == before + 1


def test_a_rotated_key_is_good_at_once_and_the_old_one_no_more(site: Site) -> None:
    reader = site.someone(K256)
    assert site.ask("Bearer " + token(K256, iss=reader, aud=SERVICE)) == (200, None)
    site.rotate(reader, P256)
    # Once with the key that is remembered and does not fit, so that the directory is asked; then with the new one.
    assert [site.ask("Bearer " + token(P256, iss=reader, aud=SERVICE)) for _ in range(2)] == [(200, None)] * 2
    assert site.ask("Bearer " + token(K256, iss=reader, aud=SERVICE)) == (401, "BadJwtSignature")
    assert site.network.asked.count(f"/{reader}") == 2


def test_a_bad_token_is_no_way_to_read_a_feed_that_is_none(site: Site) -> None:
    params = {"feed": FEED + "x"}
    answers = [
        site.service.http.get(SKELETON, params=params, headers=headers).json()["error"]
        for headers in ({"Authorization": "Bearer x"}, {"Authorization": good(site)}, {})
    ]
    assert answers == ["BadJwt", "UnknownFeed", "UnknownFeed"]


def test_no_log_span_or_metric_tells_who_read(site: Site) -> None:
    page = "GET xrpc/app.bsky.feed.getFeedSkeleton"
    before = site.spans.names().count(page)
    for case in ("ES256K", "wrong key", "unknown issuer", "another service"):
        site.ask(CASES[case][0](site))
    site.ask_once(unreadable_directory(site, 503))
    until(lambda: site.spans.names().count(page) >= before + 5, site.spans.names)
    assert "clickhouse.query" in site.spans.names()
    metrics = site.service.metrics()
    for outcome in ("good", "BadJwtSignature", "BadJwtIss", "BadJwtAudience", "unverifiable"):
        assert f'service_tokens_total{{outcome="{outcome}"}}' in metrics
    told = metrics.encode() + site.service.log.read_bytes() + b"".join(site.spans.bodies)
    secrets = [*site.dids, *(text for text in site.tokens if len(text) > 60)]
    assert [secret for secret in secrets if secret.encode() in told] == []


def test_with_loopback_closed_an_issuer_on_this_machine_is_never_connected_to(
    site: Site, tmp_path: Path, django_db_setup: None
) -> None:
    with (
        networks.in_a_thread() as network,
        services.running(tmp_path, PLC_URL=network.url, ALLOW_LOOPBACK="0") as service,
    ):
        header = on_loopback(Site(service, network, site.spans))
        assert Site(service, network, site.spans).ask(header) == (401, "BadJwtIss")
        assert network.connections == 0


@dataclass
class Personal(Fixed):
    """A feed whose pages differ from reader to reader."""

    depends_on_viewer: bool = True


@override_settings(ROOT_URLCONF="atsite.urls.feedgen", ALLOWED_HOSTS=["testserver"])
@pytest.mark.parametrize("kind", [Fixed, Personal])
async def test_a_feed_is_told_who_reads_and_only_a_personal_one_fails_while_nobody_knows(
    monkeypatch: pytest.MonkeyPatch, kind: type[Fixed]
) -> None:
    feed = kind(FeedPage((POST,)))
    reader = "did:plc:" + "r" * 24
    async with networks.running() as network, Client(loopback=True) as client:
        resolver = Resolver(client, None, plc_url=network.url, handles=HandleLookup(), loopback=True)
        auth = ServiceAuth(audience=SERVICE, keys=SigningKeys(resolver, None))
        monkeypatch.setattr(api, "service_auth", lambda: auth)
        for module in (api, page_threads):
            monkeypatch.setattr(module, "registry", lambda: Registry({DEFINITION.uri: feed}))
        never_ready = ReadyPages(page_threads.make, clock=count().__next__)
        monkeypatch.setattr(reading, "_ready_pages", lambda: never_ready)

        async def ask(**headers: str) -> tuple[int, str | None]:
            response = await AsyncClient().get(SKELETON, {"feed": str(DEFINITION.uri)}, headers=headers)
            return response.status_code, json.loads(response.content).get("error")

        header = "Bearer " + token(K256, iss=reader, aud=SERVICE)
        network.answers[f"/{reader}"] = 503
        unknown = (await ask(Authorization=header), feed.asked)
        network.answers[f"/{reader}"] = document(reader, "r.test", public_key_of(K256).multibase)
        known = (await ask(Authorization=header), feed.asked)
        nobody = (await ask(), feed.asked)
    assert known == ((200, None), FeedRequest(50, None, Did(reader)))
    assert nobody == ((200, None), FeedRequest(50))
    expected = ((502, "UpstreamFailure"), None) if kind is Personal else ((200, None), FeedRequest(50))
    assert unknown == expected
