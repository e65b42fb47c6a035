"""Label feeds over HTTP: who reads which, and how soon what people decide is seen by a service that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.clock import now_us
from feeds.models import FeedDefinition
from feeds.usage.interactions import SEND
from labels import membership
from labels.models import Block
from tests import builders as b
from tests.feeds import readers
from tests.feeds.collector import Collector, collecting
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.readers import KEY, SERVICE, Site
from tests.feeds.service import SKELETON
from tests.feeds.worlds import HOUR, MINUTE
from tests.rows import store
from tests.tokens import SKELETON as SKELETON_METHOD
from tests.tokens import token
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis
    from pytest_django.plugin import DjangoDbBlocker

INSTRUCTIONS = f"at://{b.DAN}/app.bsky.feed.post/3kabcdefghij2"
PRIVATE, PUBLIC = "a-mpls", "cl-tqsp"


@pytest.fixture(scope="module")
def spans() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def process(
    spans: Collector,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    readers.define_feeds(django_db_blocker)
    with readers.running(tmp_path_factory.mktemp("feedgen"), **spans.variables) as running:
        yield running


@pytest.fixture
def site(
    process: Site, clickhouse: None, valkey: redis.Redis, transactional_db: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Site]:
    """The running site with the feeds that every site begins with; its stores are empty and answer."""
    readers.define_feeds(django_db_blocker)
    until(lambda: described(process, PUBLIC) and [posts(process, feed, None) for feed in (PRIVATE, PUBLIC)] == [[], []])
    yield process
    process.service.clickhouse.mend()
    process.service.redis.mend()


def described(site: Site, feed: str) -> bool:
    """Whether the service names the feed among its own."""
    feeds = site.service.http.get("/xrpc/app.bsky.feed.describeFeedGenerator").json()["feeds"]
    return {"uri": address(feed)} in feeds


def address(feed: str) -> str:
    return f"at://{PUBLISHER}/app.bsky.feed.generator/{feed}"


def page(site: Site, feed: str, who: str | None, **params: Any) -> tuple[list[dict[str, Any]], str]:
    """The entries of a page, and how it may be cached; it must vary with its reader."""
    headers = {} if who is None else {"Authorization": "Bearer " + token(KEY, iss=who, aud=SERVICE)}
    response = site.service.http.get(SKELETON, params={"feed": address(feed), **params}, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["Vary"] == "Authorization"
    return response.json()["feed"], response.headers["Cache-Control"]


def posts(site: Site, feed: str, who: str | None) -> list[str]:
    return [entry["post"] for entry in page(site, feed, who)[0]]


def test_a_private_feed_is_its_members_and_a_public_one_everybody_s(site: Site) -> None:
    now = now_us()
    member, stranger = Did(site.someone()), Did(site.someone())
    post, other = b.post(member, at=now - HOUR), b.post(b.ALICE, at=now - 2 * HOUR)
    store(post, other)
    for label in ("mpls", "tqsp"):
        membership.assign(label, member, by="test")
        membership.assign(label, b.ALICE, by="test")
    private = "private, no-store"
    both = [{"post": post.uri}, {"post": other.uri}]
    assert page(site, PRIVATE, member) == (both, private)
    assert page(site, PRIVATE, stranger) == page(site, PRIVATE, None) == ([], private)
    for reader in (member, stranger, None):
        assert page(site, PUBLIC, reader) == (both, "no-cache")

    FeedDefinition.objects.filter(rkey=PRIVATE).update(instructions_post=INSTRUCTIONS)
    until(lambda: posts(site, PRIVATE, None) == [INSTRUCTIONS])
    assert page(site, PRIVATE, stranger) == ([{"post": INSTRUCTIONS}], private)
    first = page(site, PRIVATE, member, limit=1)
    assert first == (both[:1], private)

    membership.remove("mpls", member, by="test")  # at once: nothing is held in the process
    membership.assign("mpls", stranger, by="test")
    assert posts(site, PRIVATE, member) == [INSTRUCTIONS]
    assert posts(site, PRIVATE, stranger) == [other.uri]


def test_a_label_holds_with_the_next_request_while_the_feed_is_read_all_the_time(site: Site) -> None:
    now = now_us()
    member, other = Did(site.someone()), Did(site.someone())
    posted, theirs = b.post(member, at=now - HOUR), b.post(other, at=now - 2 * HOUR)
    store(posted, theirs)
    for label in ("mpls", "tqsp"):
        membership.assign(label, other, by="test")
    both, one = [posted.uri, theirs.uri], [theirs.uri]
    for _ in range(5):
        for change, private, public in ((membership.assign, both, both), (membership.remove, [], one)):
            for label in ("mpls", "tqsp"):
                change(label, member, by="test")
            for _ in range(3):  # the first is made, the others are at hand
                assert posts(site, PRIVATE, member) == private
                assert posts(site, PRIVATE, other) == public
                assert posts(site, PUBLIC, None) == public
                assert posts(site, PRIVATE, None) == []


def test_without_redis_the_database_decides_and_no_page_is_kept(site: Site) -> None:
    now = now_us()
    member, other = Did(site.someone()), Did(site.someone())
    posted, theirs = b.post(member, at=now - HOUR), b.post(other, at=now - 2 * HOUR)
    store(posted, theirs)
    for did in (member, other):
        membership.assign("mpls", did, by="test")
    assert [posts(site, PRIVATE, who) for who in (member, other)] == [[posted.uri, theirs.uri]] * 2
    site.service.redis.cut()
    membership.remove("mpls", member, by="test")
    assert [posts(site, PRIVATE, who) for who in (member, other)] == [[], [theirs.uri]]


def test_blocks_and_pins_are_seen_by_a_service_that_runs(site: Site) -> None:
    now = now_us()
    mine, theirs = b.post(b.BOB, at=now - HOUR), b.post(b.ALICE, at=now - 2 * HOUR)
    store(mine, theirs)
    for did in (b.ALICE, b.BOB):
        membership.assign("tqsp", did, by="test")
    assert posts(site, PUBLIC, None) == [mine.uri, theirs.uri]
    FeedDefinition.objects.filter(rkey=PUBLIC).update(pinned_post=theirs.uri)
    pinned = {"post": theirs.uri, "reason": {"$type": "app.bsky.feed.defs#skeletonReasonPin"}}
    until(lambda: page(site, PUBLIC, None)[0] == [pinned, {"post": mine.uri}])
    Block.objects.create(subject=b.ALICE)
    until(lambda: posts(site, PUBLIC, None) == [mine.uri])
    Block.objects.all().delete()
    Block.objects.create(subject=mine.uri, feed=PUBLIC)
    until(lambda: posts(site, PUBLIC, None) == [theirs.uri])


def test_a_feed_that_is_switched_off_is_unknown_and_not_described(site: Site) -> None:
    FeedDefinition.objects.filter(rkey=PUBLIC).update(enabled=False)
    until(lambda: not described(site, PUBLIC))
    response = site.service.http.get(SKELETON, params={"feed": address(PUBLIC)})
    assert (response.status_code, response.json()["error"]) == (400, "UnknownFeed")


def test_no_log_span_or_metric_tells_who_read_or_reported_whatever_is_away(site: Site, spans: Collector) -> None:
    names = [f"GET xrpc/{SKELETON_METHOD}", f"POST xrpc/{SEND}"]
    before = [spans.names().count(name) for name in names]
    member, stranger = Did(site.someone()), Did(site.someone())
    post = b.post(member, at=now_us() - HOUR)
    store(post, b.like(stranger, post, at=now_us() - MINUTE))
    membership.assign("mpls", member, by="test")
    FeedDefinition.objects.filter(rkey="bangers").update(parameters={"source": "viewer_best", "min_likes": 1})
    until(lambda: posts(site, "bangers", member) == [post.uri])
    assert [posts(site, PRIVATE, who) for who in (member, stranger)] == [[post.uri], []]
    tokens, statuses = [], []
    for harmed in (None, site.service.clickhouse, site.service.redis):
        if harmed is not None:
            harmed.cut()
        for who in (member, stranger):
            for feed in (PRIVATE, "bangers"):
                tokens.append(token(KEY, iss=who, aud=SERVICE))
                response = site.service.http.get(
                    SKELETON, params={"feed": address(feed)}, headers={"Authorization": f"Bearer {tokens[-1]}"}
                )
                statuses.append(response.status_code)
            tokens.append(site.token(iss=who).partition(" ")[2])
            statuses.append(site.send({"interactions": []}, header=f"Bearer {tokens[-1]}").status_code)
        if harmed is not None:
            harmed.mend()
    assert {200, 503} == set(statuses)
    until(
        lambda: spans.names().count(names[0]) >= before[0] + 12 and spans.names().count(names[1]) >= before[1] + 6,
        spans.names,
    )
    assert "clickhouse.query" in spans.names()
    found = site.service.metrics().encode() + site.service.log.read_bytes() + b"".join(spans.bodies)
    assert b"redis.away" in found
    assert [did for did in (member, stranger) if did.encode() in found or did[8:].encode() in found] == []
    assert [text for text in tokens if text.encode() in found or text.rpartition(".")[2].encode() in found] == []
