"""sendInteractions over HTTP: a real feed generator, real stores that can be away, tokens with real signatures."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from atsite.core.web.body_limit import BODY_MAX
from feeds.usage import interactions
from feeds.usage.counting import pseudonym
from feeds.usage.interactions import SEND, Interaction
from tests.feeds import readers
from tests.feeds.service import FEED
from tests.feeds.serving.test_http import error
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis
    from pytest_django.plugin import DjangoDbBlocker

    from tests.feeds.readers import Site

POST = "at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/3laaaaaaaaaa2"
SEEN = "app.bsky.feed.defs#interactionSeen"


@dataclass(frozen=True)
class Stored:
    """A row, without what differs each time."""

    feed: str
    item: str
    event: str
    feed_context: str
    req_id: str


def stored() -> list[Stored]:
    return door.query(
        "SELECT feed, item, event, feed_context, req_id FROM feed_interactions FINAL ORDER BY feed, event, item",
        into=Stored,
        name="tests.interactions",
    )


def until_stored(*rows: Stored) -> None:
    until(lambda: len(stored()) >= len(rows), stored)
    assert stored() == list(rows)


@pytest.fixture(scope="module")
def process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with readers.running(tmp_path_factory.mktemp("feedgen")) as site:
        yield site


@pytest.fixture
def site(process: Site, clickhouse: None, valkey: redis.Redis, django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    """The running site with empty stores, which answer, and the feeds that every site begins with."""
    readers.define_feeds(django_db_blocker)
    until(lambda: process.send({"feed": FEED, "interactions": []}).status_code == 200)
    yield process
    process.service.redis.mend()
    process.service.clickhouse.mend()
    until(lambda: process.send({"interactions": []}).status_code == 200)
    until(lambda: "feed_interactions_waiting_bytes 0.0" in process.service.metrics())


def one(**changes: Any) -> dict[str, Any]:
    """A call with one interaction."""
    return {"feed": FEED, "interactions": [{"item": POST, "event": SEEN, **changes}]}


def test_what_a_reader_reports_is_stored_under_a_pseudonym(site: Site) -> None:
    reader = site.someone()
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    response = site.send(
        {
            "feed": FEED,
            "interactions": [
                {"item": POST, "event": SEEN, "feedContext": "ctx", "reqId": "r1"},
                {"event": "com.example.defs#danced", "unknown": {"a": [1]}},
            ],
        },
        iss=reader,
    )
    assert (response.status_code, response.json()) == (200, {})
    until_stored(
        Stored("whats-hot", POST, SEEN, "ctx", "r1"), Stored("whats-hot", "", "com.example.defs#danced", "", "")
    )
    (received_at,) = door.column("SELECT DISTINCT received_at FROM feed_interactions", name="tests.received_at")
    assert before <= received_at.replace(tzinfo=UTC) <= datetime.now(UTC)
    columns = door.column(
        "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'feed_interactions'",
        name="tests.columns",
    )
    assert columns == ["received_at", "id", "feed", "item", "event", "feed_context", "req_id", "sender"]
    senders = door.column("SELECT DISTINCT sender FROM feed_interactions", name="tests.senders")
    assert senders == [pseudonym(Did(reader)).hex()]


def test_rows_of_one_call_have_nothing_but_their_moment_and_sender_in_common(site: Site) -> None:
    assert site.send({"interactions": [{"event": SEEN}] * 500}).status_code == 200
    until(lambda: len(stored()) == 500)
    ids = sorted(door.column("SELECT id FROM feed_interactions", name="tests.ids"))
    assert len(set(ids)) == 500
    assert min(later - earlier for earlier, later in pairwise(ids)) > 1
    assert stored() == [Stored("", "", SEEN, "", "")] * 500


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"lxm": "app.bsky.feed.getFeedSkeleton"}, (401, "BadJwtLexiconMethod")),
        ({"aud": "did:web:other.example.com"}, (401, "BadJwtAudience")),
        ({"exp": 1}, (401, "JwtExpired")),
        ({"jti": ""}, (401, "BadJwt")),
        ({"jti": "\ud800"}, (401, "BadJwt")),
    ],
)
def test_a_token_for_something_else_is_refused(site: Site, claims: dict[str, Any], expected: tuple[int, str]) -> None:
    assert error(site.send(one(), **claims)) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", (401, "AuthenticationRequired")),
        ("Bearer atsk_23456789bcdf_" + "s" * 43, (401, "AuthenticationRequired")),
        ("Basic YTpi", (401, "AuthenticationRequired")),
        ("Bearer garbage", (401, "BadJwt")),
    ],
)
def test_who_has_no_token_is_refused_before_the_body_is_looked_at(
    site: Site, header: str, expected: tuple[int, str]
) -> None:
    response = site.send("no call at all", header=header)
    assert error(response) == expected
    assert response.headers["WWW-Authenticate"] == "Bearer"


BODIES: dict[str, tuple[Any, int, str | None]] = {
    "no interactions": ({}, 400, "InvalidRequest"),
    "none of them": ({"interactions": []}, 200, None),
    "nulls": ({"interactions": [{"item": None, "event": None, "feedContext": None, "reqId": None}]}, 200, None),
    "no list": ({"interactions": {"event": SEEN}}, 400, "InvalidRequest"),
    "no objects": ({"interactions": [SEEN]}, 400, "InvalidRequest"),
    "a list": ([one()], 400, "InvalidRequest"),
    "500": ({"interactions": [{"event": SEEN}] * 500}, 200, None),
    "501": ({"interactions": [{"event": SEEN}] * 501}, 400, "InvalidRequest"),
    "an event that is no text": (one(event=7), 400, "InvalidRequest"),
    "a longest event": (one(event="e" * 512), 200, None),
    "a longer event": (one(event="e" * 513), 400, "InvalidRequest"),
    "an item that is no at-uri": (one(item="https://bsky.app"), 400, "InvalidRequest"),
    "an item of a did that no account can have": (
        one(item="at://did:plc:short/app.bsky.feed.post/3l6oveex3ii2l"),
        *(400, "InvalidRequest"),
    ),
    "a longest context": (one(feedContext="é" * 1000), 200, None),
    "a longer context": (one(feedContext="é" * 1001), 400, "InvalidRequest"),
    "a longest request id": (one(reqId="r" * 100), 200, None),
    "a longer request id": (one(reqId="r" * 101), 400, "InvalidRequest"),
    "a feed of someone else": ({**one(), "feed": FEED.replace("ppp", "qqq")}, 400, "UnknownFeed"),
    "a feed that is no at-uri": ({**one(), "feed": "whats-hot"}, 400, "InvalidRequest"),
    "no feed": ({"interactions": one()["interactions"]}, 200, None),
}


@pytest.mark.parametrize("case", BODIES)
def test_each_body_has_its_answer(site: Site, case: str) -> None:
    body, status, name = BODIES[case]
    response = site.send(body)
    assert (response.status_code, response.json().get("error")) == (status, name)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"interactions":[{"event":"\\ud800"}]}', b"[" * 100_000])
def test_what_is_no_json_is_refused(site: Site, content: bytes) -> None:
    response = site.service.http.post(f"/xrpc/{SEND}", content=content, headers={"Authorization": site.token()})
    assert error(response) == (400, "InvalidRequest")


def test_an_error_never_repeats_what_was_sent(site: Site) -> None:
    for body in (one(item="private thing"), one(event=["private thing"]), {**one(), "feed": "private thing"}):
        response = site.send(body)
        assert response.status_code == 400
        assert "private thing" not in response.text


def test_a_body_of_the_largest_size_is_read_and_a_larger_one_is_not(site: Site) -> None:
    call = json.dumps(one()).encode()
    fits, too_large = call.ljust(BODY_MAX), call.ljust(BODY_MAX + 1)
    header = site.token()

    def post(content: Any) -> tuple[int, str | None]:
        response = site.service.http.post(f"/xrpc/{SEND}", content=content, headers={"Authorization": header})
        return response.status_code, response.json().get("error")

    assert post(too_large) == (413, "PayloadTooLarge")
    assert post(iter([too_large[:70_000], too_large[70_000:]])) == (413, "PayloadTooLarge")
    assert post(iter([fits[:70_000], fits[70_000:]])) == (200, None)


def test_a_body_without_end_is_refused_while_it_comes(site: Site) -> None:
    url = site.service.http.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=20) as connection:
        head = f"POST /xrpc/{SEND} HTTP/1.1\r\nHost: {url.host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
        for _ in range(9):
            connection.sendall(chunk)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_token_is_taken_once(site: Site) -> None:
    header = site.token()
    assert site.send(one(), header=header).status_code == 200
    assert error(site.send(one(), header=header)) == (401, "BadJwt")
    until_stored(Stored("whats-hot", POST, SEEN, "", ""))


def test_a_call_that_was_refused_for_its_body_does_not_use_up_the_token(site: Site) -> None:
    header = site.token()
    for body in ({}, {**one(), "feed": FEED + "x"}):
        assert site.send(body, header=header).status_code == 400
    assert site.send(one(), header=header).status_code == 200


@pytest.mark.parametrize("harm", ["cut", "hang"])
def test_without_redis_nothing_is_taken(site: Site, harm: str) -> None:
    known = site.someone()
    assert site.send({"interactions": []}, iss=known).status_code == 200
    getattr(site.service.redis, harm)()
    response = site.send(one(), iss=known)
    assert error(response) == (503, "NotEnoughResources")
    assert response.headers["Retry-After"] == "10"
    site.service.redis.mend()
    until(lambda: site.send(one(event="later"), iss=known).status_code == 200)
    until(lambda: stored() != [])
    assert {row.event for row in stored()} == {"later"}


@pytest.mark.parametrize("harm", ["cut", "hang"])
def test_without_clickhouse_calls_are_answered_and_written_once_it_is_back(site: Site, harm: str) -> None:
    getattr(site.service.clickhouse, harm)()
    for number in range(3):
        assert site.send(one(event=f"event {number}")).status_code == 200
    assert stored() == []
    site.service.clickhouse.mend()
    until_stored(*(Stored("whats-hot", POST, f"event {number}", "", "") for number in range(3)))


def test_a_service_that_is_stopped_writes_what_it_has(
    clickhouse: None, valkey: redis.Redis, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> None:
    readers.define_feeds(django_db_blocker)
    with readers.running(tmp_path) as site:
        assert site.send(one()).status_code == 200
    assert stored() == [Stored("whats-hot", POST, SEEN, "", "")]


def test_what_an_account_sent_can_be_removed_also_under_an_earlier_key(site: Site, tmp_path: Path) -> None:
    gone, stays = site.someone(), site.someone()
    for did in (gone, stays, gone):
        assert site.send(one(), iss=did).status_code == 200
    until(lambda: len(stored()) == 3)
    (tmp_path / "key").write_text("an earlier key\n")
    earlier = pseudonym(Did(gone), secret_key="an earlier key").hex()
    interactions.store([Interaction(datetime.now(UTC), 1, "whats-hot", POST, SEEN, "", "", earlier)])

    def removed(*options: str) -> str:
        out = StringIO()
        call_command("remove_interactions", gone, *options, stdout=out)
        return out.getvalue().partition(";")[0]

    assert [removed(), removed()] == ["removed 2 interactions", "removed 0 interactions"]
    assert removed("--secret-key-file", str(tmp_path / "key")) == "removed 1 interactions"
    assert door.column("SELECT sender FROM feed_interactions FINAL", name="tests.senders") == [
        pseudonym(Did(stays)).hex()
    ]


@pytest.mark.parametrize(
    ("did", "said"),
    [
        ("alice.example.com", "not a valid did: 'alice.example.com'"),
        ("did:plc:short", "did:plc:short is not a whole did: 24 characters, a to z and 2 to 7, follow did:plc:"),
    ],
)
def test_interactions_of_a_did_that_no_account_can_have_are_not_looked_for(did: str, said: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("remove_interactions", did)
    assert str(refused.value) == said


def test_no_log_metric_or_store_tells_who_reported(site: Site, valkey: redis.Redis) -> None:
    dids = [site.someone() for _ in range(5)]
    headers = [site.token(iss=did) for did in dids]
    statuses = [site.send(one(), header=header).status_code for header in (*headers, headers[0])]
    assert [*statuses, site.send({}, iss=dids[0]).status_code] == [200] * 5 + [401, 400]
    until(lambda: len(stored()) == 5 and bool(valkey.keys("atsite:feeds:interactions:*")))
    metrics = site.service.metrics()
    assert 'feed_interactions_total{event="interactionSeen"}' in metrics
    found = metrics.encode() + site.service.log.read_bytes() + repr(stored()).encode()
    for name in valkey.keys("atsite:feeds:*"):
        found += name + (valkey.dump(name) or b"")  # type: ignore[operator]
    assert [did for did in dids if did.encode() in found or did[8:].encode() in found] == []
    assert [header for header in headers if header.partition(" ")[2].encode() in found] == []
