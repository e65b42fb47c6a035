"""The thin door answers as Django does: status, headers and bytes of thousands of requests, good, odd and hostile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from atsite.core.atproto.keys import public_key_of
from atsite.core.atproto.syntax import Did
from atsite.core.clock import now_us
from feeds.serving import thin_door
from feeds.serving.reading import Reader
from feeds.serving.skeleton import Question
from labels import membership
from tests import builders as b
from tests.core.identity import network as networks
from tests.core.identity.network import document
from tests.doors.test_odd_requests import Endpoint, ask, requests
from tests.feeds import readers
from tests.feeds import service as services
from tests.feeds.readers import KEY, SERVICE
from tests.feeds.service import FEED, SKELETON
from tests.feeds.serving.test_http import publish
from tests.feeds.worlds import MINUTE
from tests.rows import store
from tests.tokens import token
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from pytest_django.plugin import DjangoDbBlocker

MEMBER, OTHER = (f"did:plc:{letter * 24}" for letter in "mo")
PRIVATE = FEED.replace("whats-hot", "a-mpls")
PAGES = [Endpoint(SKELETON, "GET", ("feed", "limit", "cursor"))]


@dataclass(frozen=True)
class Doors:
    """The ports of two services with the same stores: as it is, and without the thin door."""

    thin: int
    reference: int


@pytest.fixture(scope="module")
def doors(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("feedgen")
    with networks.in_a_thread() as network:
        # Django's Allow header is in the order of a set.
        variables = {"PLC_URL": network.url, "ALLOW_LOOPBACK": "1", "PYTHONHASHSEED": "0"}
        reference = "tests.doors.reference_door:application"
        for did in (MEMBER, OTHER):
            network.answers[f"/{did}"] = document(did, "reader.test", public_key_of(KEY).multibase)
        with (
            services.running(folder, **variables) as thin,
            services.running(folder, application=reference, **variables) as plain,
        ):
            yield Doors(thin.http.base_url.port or 0, plain.http.base_url.port or 0)


@pytest.fixture
def world(
    doors: Doors,
    clickhouse: None,
    valkey: redis.Redis,
    transactional_db: None,
    django_db_blocker: DjangoDbBlocker,
) -> Doors:
    """A hot feed and a private one with posts, and a member whose key both services know."""
    readers.define_feeds(django_db_blocker)
    publish(120)
    membership.assign("mpls", Did(MEMBER), by="test")
    store(*[b.post(Did(MEMBER), at=now_us() - (number + 1) * MINUTE) for number in range(60)])
    for port in (doors.thin, doors.reference):
        for did in (MEMBER, OTHER):
            raw = page_of(PRIVATE, did)
            until(lambda port=port, raw=raw: ask(port, raw).status == 200)  # type: ignore[misc]
    return doors


def page_of(feed: str, reader: str) -> bytes:
    header = f"Bearer {token(KEY, iss=reader, aud=SERVICE)}"
    return f"GET {SKELETON}?feed={feed} HTTP/1.1\r\nHost: a\r\nAuthorization: {header}\r\n\r\n".encode()


def tokens() -> list[str]:
    """Good ones of a member and of another reader, and some of each kind that is not."""
    good = [token(KEY, iss=reader, aud=SERVICE) for reader in (MEMBER, OTHER)]
    bad: list[dict[str, Any]] = [
        {"exp": 1}, {"aud": "did:web:other.example"}, {"lxm": "app.bsky.feed.getFeed"}, {"iss": "did:key:z"},
        {"high_s": True}, {"header": {"typ": "at+jwt"}}, {"jti": "\ud800"},
    ]  # fmt: skip
    return [*good * 4, *(token(KEY, **{"iss": MEMBER, "aud": SERVICE, **changes}) for changes in bad)]


@st.composite
def signed(draw: st.DrawFn, api_key: bytes) -> bytes:
    """A request for a page, half of them with the token of a reader."""
    raw = draw(requests(PAGES, api_key))
    if not draw(st.booleans()):
        return raw
    scheme = draw(st.sampled_from(["Bearer "] * 8 + ["bearer ", "Bearer  ", " Bearer ", ""]))
    header = f"Authorization: {scheme}{draw(st.sampled_from(tokens()))}".encode()
    return raw.replace(b"Connection: close", header + b"\r\nConnection: close", 1)


def compared(most: int) -> settings:
    return settings(
        max_examples=most,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


@compared(400)
@given(st.data())
def test_both_doors_answer_the_same(world: Doors, key: bytes, data: st.DataObject) -> None:
    raw = data.draw(signed(key))
    assert ask(world.thin, raw) == ask(world.reference, raw), raw[:2000]


@pytest.mark.slow
@compared(3_000)
@given(st.data())
def test_both_doors_answer_the_same_thousands_of_times(
    world: Doors,
    key: bytes,
    data: st.DataObject,
) -> None:
    raw = data.draw(signed(key))
    assert ask(world.thin, raw) == ask(world.reference, raw), raw[:2000]


def test_both_doors_walk_feeds_alike(world: Doors) -> None:
    for feed, reader in ((FEED, MEMBER), (PRIVATE, MEMBER), (PRIVATE, OTHER)):
        raw = page_of(feed, reader)
        assert ask(world.thin, raw) == ask(world.reference, raw)
        assert b'"post"' in ask(world.thin, raw).body or reader == OTHER


HOST = (b"host", b"feeds.example.com")
QUERY = b"feed=at%3A%2F%2Fx%2Fapp.bsky.feed.generator%2Fy&limit=5&cursor=abc"


def scope(**changes: Any) -> dict[str, Any]:
    path = "/xrpc/app.bsky.feed.getFeedSkeleton"
    return {"method": "GET", "path": path, "headers": [HOST], "query_string": QUERY, **changes}


@override_settings(ALLOWED_HOSTS=["feeds.example.com"])
def test_the_door_takes_what_clients_send_and_leaves_the_rest_to_django() -> None:
    asked = (Question("at://x/app.bsky.feed.generator/y", 5, "abc"), Reader())
    assert thin_door._asked(scope()) == asked
    assert thin_door._asked(scope(headers=[HOST, (b"accept-language", b"\xff"), (b"cookie", b"a=b")])) == asked
    left: list[dict[str, Any]] = [
        {"method": "HEAD"},
        {"path": "/xrpc/app.bsky.feed.describeFeedGenerator"},
        {"raw_path": b"/xrpc/app.bsky.feed.getFeedSkele%74on"},
        {"headers": []},
        {"headers": [HOST, HOST]},
        {"headers": [(b"host", b"evil.example")]},
        {"headers": [HOST, (b"content-length", b"0")]},
        {"headers": [HOST, (b"transfer-encoding", b"chunked")]},
        {"headers": [HOST, (b"content-type", b"a/b; charset=x")]},
        {"headers": [HOST, (b"x-atsite-probe", b"")]},
        {"headers": [HOST, (b"authorization", b""), (b"authorization", b"")]},
        {"headers": [HOST, (b"authorization", b"Bearer atsk_a")]},
        {"headers": [HOST, (b"authorization", b"Bearer a.b.c")]},
        {"query_string": b"feed=a&feed=b"},
        {"query_string": b"feed=a&limit=101"},
        {"query_string": b"limit=5"},
        {"query_string": b"feed=\xff"},
        {"query_string": QUERY + b"&x=" + b"y" * 2_048},
    ]
    assert [changes for changes in left if thin_door._asked(scope(**changes)) is not None] == []


def test_query_strings_that_are_remembered_are_bounded() -> None:
    thin_door._parsed.cache_clear()
    for number in range(4_100):
        assert thin_door._question(b"feed=a&limit=5&cursor=%d" % number) == Question("a", 5, str(number))
    assert thin_door._parsed.cache_info().currsize == 4_096
    longest = b"feed=a&x=" + b"y" * (2_048 - len(b"feed=a&x="))
    assert thin_door._question(longest) == Question("a", 50)
    assert thin_door._question(longest + b"y") is None
