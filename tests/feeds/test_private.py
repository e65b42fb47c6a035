"""Label feeds over HTTP: who reads which, and how soon what people decide is seen by a service that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from atsite.atproto.syntax import Did
from feeds.data import unix_micros
from feeds.models import FeedDefinition
from labels import access
from labels.models import Block
from tests import builders as b
from tests.feeds import readers
from tests.feeds.kinds import PUBLISHER
from tests.feeds.readers import KEY, SERVICE, Site, until
from tests.feeds.service import SKELETON
from tests.feeds.worlds import HOUR
from tests.rows import store
from tests.tokens import token

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import redis
    from pytest_django.plugin import DjangoDbBlocker

INSTRUCTIONS = f"at://{b.DAN}/app.bsky.feed.post/3kabcdefghij2"
PRIVATE, PUBLIC = "a-mpls", "cl-tqsp"


@pytest.fixture
def site(
    clickhouse: None,
    valkey: redis.Redis,
    transactional_db: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path: Path,
) -> Iterator[Site]:
    readers.define_feeds(django_db_blocker)
    with readers.running(tmp_path) as running:
        yield running


def page(site: Site, feed: str, who: str | None, **params: Any) -> tuple[list[dict[str, Any]], str]:
    """The entries of a page, and how it may be cached; it must vary with its reader."""
    headers = {} if who is None else {"Authorization": "Bearer " + token(KEY, iss=who, aud=SERVICE)}
    uri = f"at://{PUBLISHER}/app.bsky.feed.generator/{feed}"
    response = site.service.http.get(SKELETON, params={"feed": uri, **params}, headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["Vary"] == "Authorization"
    return response.json()["feed"], response.headers["Cache-Control"]


def posts(site: Site, feed: str, who: str | None) -> list[str]:
    return [entry["post"] for entry in page(site, feed, who)[0]]


def test_a_private_feed_is_its_members_and_a_public_one_everybody_s(site: Site) -> None:
    now = unix_micros()
    member, stranger = Did(site.somebody()), Did(site.somebody())
    post, other = b.post(member, at=now - HOUR), b.post(b.ALICE, at=now - 2 * HOUR)
    store(post, other)
    for label in ("mpls", "tqsp"):
        access.assign(label, member, by="test")
        access.assign(label, b.ALICE, by="test")
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

    access.remove("mpls", member, by="test")  # at once: nothing is held in the process
    access.assign("mpls", stranger, by="test")
    assert posts(site, PRIVATE, member) == [INSTRUCTIONS]
    assert posts(site, PRIVATE, stranger) == [other.uri]


def test_blocks_and_pins_are_seen_by_a_service_that_runs(site: Site) -> None:
    now = unix_micros()
    mine, theirs = b.post(b.BOB, at=now - HOUR), b.post(b.ALICE, at=now - 2 * HOUR)
    store(mine, theirs)
    for did in (b.ALICE, b.BOB):
        access.assign("tqsp", did, by="test")
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
    uri = f"at://{PUBLISHER}/app.bsky.feed.generator/{PUBLIC}"

    def described() -> bool:
        feeds = site.service.http.get("/xrpc/app.bsky.feed.describeFeedGenerator").json()["feeds"]
        return {"uri": uri} in feeds

    assert described()
    FeedDefinition.objects.filter(rkey=PUBLIC).update(enabled=False)
    until(lambda: not described())
    response = site.service.http.get(SKELETON, params={"feed": uri})
    assert (response.status_code, response.json()["error"]) == (400, "UnknownFeed")
