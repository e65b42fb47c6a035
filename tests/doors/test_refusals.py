"""What is wrong with a request is said with a 4xx in the protocol's form, by both services."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from apikeys import keys
from apikeys.models import add_key
from atsite.core import cursor_format
from tests.doors.conftest import take_away
from tests.doors.raw_http import ask, request
from tests.feeds.service import FEED, SKELETON
from tests.search.service import SEARCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.plugin import DjangoDbBlocker

FEED_PAGE = f"{SKELETON}?feed={quote(FEED)}".encode()
SEND = b"/xrpc/app.bsky.feed.sendInteractions"
SEARCH_PAGE = f"{SEARCH}?q=minneapolis".encode()
MEMBERS = b"/feed_members?feedName=a-mpls"
DID = b"did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
REFUSED = (400, "InvalidRequest")


@pytest.fixture(params=["feedgen", "search"])
def door(request: pytest.FixtureRequest) -> tuple[int, bytes]:
    """The port of each service, and a request that it answers with a page."""
    return request.getfixturevalue(request.param), FEED_PAGE if request.param == "feedgen" else SEARCH_PAGE


def test_what_is_right_is_answered(door: tuple[int, bytes]) -> None:
    port, page = door
    assert ask(port, request(page)).status == 200
    assert ask(port, request(page + b"&unknown=a&unknown=b&tags[]=x")).status == 200


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (b"&a=b" * 1001, b"at most 1000 parameters in one call"),
        (b"&limit=1&limit=1", b"limit: given more than once"),
        (b"&cursor=a&cursor=b", b"cursor: given more than once"),
        (b"&limit=1_0", b"limit: expected a whole number"),
        (b"&limit=%D9%A5", b"limit: expected a whole number"),
        (b"&limit=1.0", b"limit: expected a whole number"),
    ],
    ids=["many", "limit", "cursor", "1_0", "Arabic digits", "fraction"],
)
def test_a_query_string_that_cannot_be_right_is_refused(door: tuple[int, bytes], more: bytes, message: bytes) -> None:
    port, page = door
    answer = ask(port, request(page + more))
    assert answer.error == REFUSED
    assert message in answer.body


@pytest.mark.parametrize(
    "content_type",
    [
        b"text/plain; charset*=bogus''x",
        b"text/plain; charset*=utf-8''%ff%00",
        b"text/plain; charset*=bogus''x; charset*0*=a'b'c",  # a TypeError of the standard library
    ],
)
def test_a_content_type_that_django_cannot_read_is_refused_or_passed_over(
    door: tuple[int, bytes], content_type: bytes
) -> None:
    port, page = door
    answer = ask(port, request(page, ("Content-Type", content_type)))
    assert answer.status == 200 or answer.error == REFUSED


def test_an_unknown_address_with_too_many_parameters_is_a_4xx(door: tuple[int, bytes]) -> None:
    port, _ = door
    for path in (b"/nowhere", b"/openapi.json//", b"/docs;x"):
        assert ask(port, request(path + b"?" + b"a=b&" * 1200)).error == (404, "XRPCNotSupported")


def test_what_is_no_http_is_refused_by_the_server_itself(door: tuple[int, bytes]) -> None:
    port, page = door
    assert ask(port, request(page + b"&x=\xff")).status == 400
    assert ask(port, b"\x16\x03\x01\x02\x00\x01\r\n\r\n").status in (0, 400)


def test_a_host_that_is_none_is_refused(door: tuple[int, bytes]) -> None:
    port, page = door
    for host in (b"", b"a b", b"evil/x", b"[::1"):
        assert ask(port, request(page, host=host)).error == REFUSED


@pytest.mark.parametrize("length", ["announced", "in chunks"])
def test_a_body_that_is_too_large_is_refused(door: tuple[int, bytes], length: str) -> None:
    port, page = door
    size = 300 * 1024
    if length == "announced":
        raw = request(page, method="POST", body=b"x" * size)
    else:
        chunks = b"%x\r\n" % size + b"x" * size + b"\r\n0\r\n\r\n"
        raw = request(page, ("Transfer-Encoding", b"chunked"), method="POST", body=chunks)
    assert ask(port, raw).error == (413, "PayloadTooLarge")


@pytest.mark.parametrize("again", [b"feed=" + quote(FEED).encode(), b"feed=x"])
def test_a_feed_is_asked_for_once(feedgen: int, again: bytes) -> None:
    answer = ask(feedgen, request(FEED_PAGE + b"&" + again))
    assert answer.error == REFUSED
    assert b"feed: given more than once" in answer.body


@pytest.mark.parametrize("name", ["q", "author", "since", "until", "lang", "sort"])
def test_a_parameter_of_search_is_given_once(search: int, name: str) -> None:
    twice = f"&{name}=2024-01-01&{name}=2024-01-01".encode()
    assert ask(search, request(SEARCH_PAGE + twice)).error == REFUSED
    assert ask(search, request(b"/stats?days=1&days=2")).error == REFUSED


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", MEMBERS + b"&handle=" + DID + b"&handle=" + DID),
        ("GET", MEMBERS + b"&feedName=a-mpls"),
        ("GET", MEMBERS + b"&limit=1&limit=2"),
        ("GET", MEMBERS + b"&cursor=" + cursor_format.encode("members", "a").encode()),  # an invalid did
        ("GET", b"/label_members?label=mpls&label=mpls"),
        ("PUT", b"/assign_user_to_feed?feedName=a-mpls&handle=" + DID + b"&handle=did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"),
        ("PUT", b"/assign_label_to_user?label=mpls&handle=" + DID + b"&handle=" + DID),
        ("GET", b"/admin/feeds?days=1&days=1"),
    ],
)
def test_a_parameter_of_the_member_calls_is_given_once(feedgen: int, key: bytes, method: str, target: bytes) -> None:
    assert ask(feedgen, request(target, ("X-API-Key", key), method=method)).error == REFUSED


def test_a_label_with_a_character_that_postgresql_refuses_is_none(feedgen: int, key: bytes) -> None:
    answer = ask(feedgen, request(b"/label_members?label=mp%00ls", ("X-API-Key", key)))
    assert answer.error == (400, "UnknownLabel")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"interactions":[' * 10_000,
        b"9" * 100_000,
        b"\x00",
        b'{"interactions":"\\ud800"}',
    ],
    ids=["not UTF-8", "deep", "deeper", "huge number", "NUL", "surrogate"],
)
def test_a_body_without_a_token_is_not_even_read(feedgen: int, body: bytes) -> None:
    assert ask(feedgen, request(SEND, method="POST", body=body)).error == (401, "AuthenticationRequired")


@pytest.fixture
def revoked(key: bytes, django_db_blocker: DjangoDbBlocker) -> Iterator[bytes]:
    """A key that was good."""
    minted = keys.mint()
    with django_db_blocker.unblock():
        row = add_key(minted, scopes=["stats"])
        row.delete()
    yield minted.text.encode()
    with django_db_blocker.unblock():
        take_away(row)


def test_a_feed_is_read_with_a_good_api_key_and_not_with_a_bad_one(feedgen: int, key: bytes, revoked: bytes) -> None:
    def read(credential: bytes) -> tuple[int, str]:
        answer = ask(feedgen, request(FEED_PAGE, ("Authorization", credential)))
        return (200, "") if answer.status == 200 else answer.error

    refused = (401, "AuthenticationRequired")
    assert read(b"Bearer " + key) == read(b"bearer " + key) == (200, "")
    assert read(b"Bearer " + revoked) == refused
    assert read(b"Bearer atsk_222222222222_" + b"x" * 43) == refused
    assert read(b"Bearer " + key[:-1]) == refused
    assert read(b"Bearer atsk_") == refused
