"""The feed generator over HTTP, as the AppView meets it: a real process, real stores, real sockets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core import cursor_format
from atsite.core.atproto.syntax import Did, Rkey
from atsite.core.clock import now_us
from atsite.core.config import BASE_DIR
from feeds.kinds import make_feed
from feeds.models import FeedDefinition
from feeds.ranking import refresh
from feeds.ranking.feed import Definition
from feeds.ranking.page_data import FeedData
from feeds.ranking.ranking import RankedFeed
from tests import builders as b
from tests.feeds import service as services
from tests.feeds import worlds
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.service import FEED, SKELETON, Service
from tests.rows import Record, store
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx
    import redis

HOT = Definition(PUBLISHER, Rkey("whats-hot"), "hot", "", "", {"min_likes": 2})
#: Those that are on from the start; the feeds of communities wait for a member.
FEEDS = ["at-bangers", "bangers", "top-1h", "top-24h", "whats-hot"]


@pytest.fixture(scope="module")
def process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with services.running(tmp_path_factory.mktemp("feedgen")) as service:
        yield service


@pytest.fixture
def service(process: Service, clickhouse: None, valkey: redis.Redis) -> Iterator[Service]:
    """The running service; its stores are empty and answer. It may remember generations of an earlier test."""
    process.wait_for_new_pages()
    yield process
    process.clickhouse.mend()
    process.redis.mend()
    until(lambda: process.skeleton(limit=1).status_code == 200)


def publish(count: int) -> list[str]:
    """A network with `count` posts in the feed, ranked and stored as the worker does; their uris in order."""
    now = now_us()
    store(*worlds.liked_posts(count, now=now))
    data = FeedData()
    feed = make_feed(HOT, data)
    assert isinstance(feed, RankedFeed)
    assert refresh.refresh(feed, data.generations, now=now).outcome == "published"
    generation = data.generations.current(HOT.key, now=now)
    assert generation is not None
    return [post.uri for post in generation.posts]


def error(response: httpx.Response) -> tuple[int, str]:
    """Status and name of an answer that says no, whose body must have the XRPC form."""
    assert response.headers["content-type"].startswith("application/json")
    body: dict[str, Any] = response.json()
    assert sorted(body) == ["error", "message"]
    assert body["message"]
    return response.status_code, body["error"]


def test_the_did_document_names_the_service_and_its_address(service: Service) -> None:
    response = service.http.get("/.well-known/did.json")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/json")
    assert response.json() == {
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": "did:web:feeds.example.com",
        "service": [
            {"id": "#bsky_fg", "type": "BskyFeedGenerator", "serviceEndpoint": "https://feeds.example.com"},
        ],
    }


@pytest.mark.django_db
def test_the_description_is_a_bare_object_with_the_services_did(service: Service) -> None:
    enabled = FeedDefinition.objects.filter(enabled=True).order_by("rkey").values_list("rkey", flat=True)
    assert set(enabled) >= set(FEEDS)  # the feeds of communities may be on, by an earlier test
    response = service.http.get("/xrpc/app.bsky.feed.describeFeedGenerator")
    assert (response.status_code, response.json()) == (
        200,
        {"did": "did:web:feeds.example.com", "feeds": [{"uri": FEED.replace("whats-hot", name)} for name in enabled]},
    )


def test_health_answers(service: Service) -> None:
    response = service.http.get("/xrpc/_health")
    assert (response.status_code, list(response.json())) == (200, ["version"])


@pytest.mark.parametrize(("limit", "count"), [(1, 10), (30, 61), (100, 61)])
def test_a_feed_is_walked_to_its_end(service: Service, limit: int, count: int) -> None:
    expected = publish(count)
    assert service.walk(limit) == expected


def test_fifty_posts_come_without_a_limit_and_the_last_page_has_no_cursor_key(service: Service) -> None:
    expected = publish(60)
    first = service.skeleton().json()
    assert [entry["post"] for entry in first["feed"]] == expected[:50]
    assert sorted(first) == ["cursor", "feed"]
    last = service.skeleton(cursor=first["cursor"]).json()
    assert last == {"feed": [{"post": uri} for uri in expected[50:]]}


def test_a_page_is_not_reused_by_caches_and_depends_on_the_authorization(service: Service) -> None:
    publish(3)
    headers = service.skeleton().headers
    assert headers["content-type"] == "application/json"
    assert (headers["cache-control"], headers["vary"]) == ("no-cache", "Authorization")


def test_unknown_parameters_and_a_head_request_do_no_harm(service: Service) -> None:
    expected = publish(3)
    assert service.page(language="ja")[0] == expected
    response = service.http.head(SKELETON, params={"feed": FEED})
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"limit": "0"}, (400, "InvalidRequest")),
        ({"limit": "101"}, (400, "InvalidRequest")),
        ({"limit": "abc"}, (400, "InvalidRequest")),
        ({"limit": "-1"}, (400, "InvalidRequest")),
        ({"limit": "1.0"}, (400, "InvalidRequest")),
        ({"limit": "1_0"}, (400, "InvalidRequest")),
        ({"limit": " 5"}, (400, "InvalidRequest")),
        ({"limit": "٥"}, (400, "InvalidRequest")),
        ({"limit": ""}, (400, "InvalidRequest")),
        ({"limit": "9" * 5000}, (400, "InvalidRequest")),
        ({"cursor": ""}, (400, "InvalidRequest")),
        ({"cursor": "eof"}, (400, "InvalidRequest")),
        ({"cursor": "50"}, (400, "InvalidRequest")),
        ({"cursor": "\x00"}, (400, "InvalidRequest")),
        ({"cursor": "x" * 5000}, (400, "InvalidRequest")),
        ({"cursor": cursor_format.encode("newest", "3laaaaaaaaaa2", PUBLISHER)}, (400, "InvalidRequest")),
        ({"feed": ""}, (400, "InvalidRequest")),
        ({"feed": "whats-hot"}, (400, "InvalidRequest")),
        ({"feed": "https://bsky.app/profile/x/feed/whats-hot"}, (400, "InvalidRequest")),
        ({"feed": FEED + "/more"}, (400, "InvalidRequest")),
        ({"feed": f"at://{PUBLISHER}/app.bsky.feed.generator/whats-not"}, (400, "UnknownFeed")),
        ({"feed": f"at://{PUBLISHER}/app.bsky.feed.post/whats-hot"}, (400, "UnknownFeed")),
        ({"feed": "at://did:plc:other/app.bsky.feed.generator/whats-hot"}, (400, "UnknownFeed")),
        ({"feed": "at://alice.example.com/app.bsky.feed.generator/whats-hot"}, (400, "UnknownFeed")),
        ({"feed": f"at://{PUBLISHER}"}, (400, "UnknownFeed")),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(
    service: Service, params: dict[str, str], expected: tuple[int, str]
) -> None:
    assert error(service.skeleton(**params)) == expected


def test_a_call_without_a_feed_is_wrong(service: Service) -> None:
    assert error(service.http.get(SKELETON)) == (400, "InvalidRequest")


def test_what_this_service_does_not_have_is_said_in_xrpc_words(service: Service) -> None:
    assert error(service.http.get("/xrpc/app.bsky.feed.getTimeline")) == (501, "MethodNotImplemented")
    assert error(service.http.get("/admin/")) == (404, "XRPCNotSupported")
    assert error(service.http.get("/")) == (404, "XRPCNotSupported")
    refused = service.http.post(SKELETON, params={"feed": FEED})
    assert error(refused) == (405, "InvalidRequest")


def test_a_deleted_post_leaves_the_feed_of_a_service_that_has_just_shown_it(service: Service) -> None:
    expected = publish(10)
    assert service.page()[0] == expected
    did, _, rkey = expected[0].removeprefix("at://").split("/")
    gone = Record(Did(did), b.POST, rkey, 1, None, 0)
    store(b.delete(gone, at=now_us()))
    until(lambda: service.page()[0] == expected[1:])  # feeds.ranking.liveness


@pytest.mark.parametrize("harm", ["cut", "hang"])
def test_a_walk_goes_on_without_redis_and_redis_is_used_again_when_it_is_back(service: Service, harm: str) -> None:
    expected = publish(40)
    first, cursor = service.page(limit=10)
    assert cursor is not None
    getattr(service.redis, harm)()
    rest, end = service.page(limit=100, cursor=cursor)
    assert (first + rest, end) == (expected, None)
    assert service.walk(7) == expected
    service.redis.mend()
    newer = publish(43)
    until(lambda: service.page(limit=100)[0] == newer)


@pytest.mark.parametrize("harm", ["cut", "hang"])
def test_without_clickhouse_pages_are_served_unfiltered_and_filtered_again_when_it_is_back(
    service: Service, harm: str
) -> None:
    expected = publish(10)
    did, _, rkey = expected[0].removeprefix("at://").split("/")
    store(b.delete(Record(Did(did), b.POST, rkey, 1, None, 0), at=now_us()))
    getattr(service.clickhouse, harm)()
    assert service.walk(3) == expected
    service.clickhouse.mend()
    until(lambda: service.page()[0] == expected[1:])


def test_viewers_are_in_no_log_and_no_metric_and_feeds_are(service: Service) -> None:
    publish(3)
    token = "eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2VjcmV0"
    response = service.http.get(
        SKELETON, params={"feed": FEED, "limit": 1}, headers={"Authorization": f"Bearer {token}"}
    )
    assert error(response) == (401, "BadJwt")
    service.skeleton(limit=1)
    service.skeleton(cursor="a-cursor-of-someone")
    metrics = service.metrics()
    for text in (metrics, service.log.read_text()):
        assert token not in text
        assert "a-cursor-of-someone" not in text
    assert re.search(r'^feed_page_requests_total\{feed="whats-hot",outcome="poll"\} [1-9]', metrics, re.MULTILINE)
    assert re.search(r'^feed_page_requests_total\{feed="whats-hot",outcome="invalid"\} [1-9]', metrics, re.MULTILINE)


@pytest.mark.usefixtures("django_db_setup")
def test_a_feed_generator_that_nobody_publishes_does_not_start() -> None:
    environment = {**os.environ, "SERVICE_ENDPOINT": "https://feeds.example.com", "FEED_ACTOR_DID": ""}
    command = [sys.executable, str(BASE_DIR / "manage.py"), "run_feedgen", "--port", "0"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 1
    assert "(feeds.E001) FEED_ACTOR_DID is missing: the feeds have no publisher." in refused.stderr
    assert "feeds.E002" not in refused.stderr
