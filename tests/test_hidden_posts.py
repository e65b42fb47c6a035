"""What must not be shown is in no public answer: every kind of feed, what stands above a feed or instead of it, search.

A second after it was blocked or deleted, or its author became inactive, was purged or is not to be indexed. Asked over
HTTP of a feed generator and a search service that run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.syntax import Did
from atsite.core.clock import now_us
from atsite.core.config import config
from feeds import definitions
from feeds.kinds import KINDS
from feeds.models import FeedDefinition, PinnedPost
from feeds.ranking import refresh
from feeds.ranking.page_data import FeedData
from feeds.serving import registry
from feeds.serving.registry import Registry
from indexer.index import do_not_index, purge
from labels import membership
from labels.models import Block, Label
from tests import builders as b
from tests.feeds import readers
from tests.feeds.kind_cases import PUBLISHER
from tests.feeds.readers import KEY, SERVICE
from tests.feeds.service import SKELETON
from tests.feeds.worlds import HOUR, MINUTE, actor
from tests.rows import store
from tests.search import service as searching
from tests.steps import steps
from tests.tokens import token
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis

    from tests.feeds.readers import Site
    from tests.search.service import Service as Search

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

REPOSTER = actor(500)
#: Of a private feed, which shows its instructions alone to others.
MEMBER = actor(501)
WORD = "cat"

#: Feeds whose posts come from the network or a list.
FEEDS: dict[str, dict[str, Any]] = {
    "hot": {"kind": "hot", "parameters": {"min_likes": 2}},
    "top": {"kind": "top", "parameters": {"min_likes": 2}},
    "chosen": {"kind": "static"},
    "best": {"kind": "static", "parameters": {"source": "network_best", "min_likes": 2}},
    "own-best": {"kind": "static", "parameters": {"source": "viewer_best", "min_likes": 2}},
    "members": {"kind": "label", "parameters": {"label": "authors"}},
    "private": {"kind": "label", "parameters": {"label": "authors"}, "visibility": "private"},
    "searched": {"kind": "search", "parameters": {"query": WORD}},
    "reposts": {"kind": "label", "parameters": {"label": "reposters", "reposts": True}},
}
#: A feed for which nothing is blocked.
ELSEWHERE = "elsewhere"


def _refuse(post: b.Record) -> None:
    """Not to be indexed, as the admin's list of such actors does it; and the task, which purges."""
    do_not_index.exclude(post.did, by="test", now=datetime.now(UTC))
    do_not_index.apply_pending(now=datetime.now(UTC))


def _purge(post: b.Record) -> None:
    """As of an account that was deleted and came back."""
    store(b.floor(post.did, at=b.ago()), b.account(post.did, active=True, at=b.ago()))
    purge.purge_dead(now=datetime.now(UTC))


def _deactivate(post: b.Record) -> None:
    store(b.account(post.did, active=False, status="deactivated", at=b.ago()))


def _block(subject: str, *feeds: str) -> None:
    for feed in feeds:
        Block.objects.create(subject=subject, feed=feed)


#: Ways in which a post leaves every public answer.
EVERYWHERE: dict[str, Callable[[b.Record], None]] = {
    "deleted": lambda post: store(b.delete(post, at=b.ago())),
    "by an inactive author": _deactivate,
    "by a purged author": _purge,
    "by an author who is not to be indexed": _refuse,
    "blocked everywhere": lambda post: _block(post.uri, ""),
    "by an author who is blocked everywhere": lambda post: _block(post.did, ""),
}
#: And those in which it leaves the feeds for which it is blocked, and nothing else.
HERE: dict[str, Callable[[b.Record, list[str]], None]] = {
    "blocked here": lambda post, feeds: _block(post.uri, *feeds),
    "by an author who is blocked here": lambda post, feeds: _block(post.did, *feeds),
}
WAYS = [*EVERYWHERE, *HERE, "not hidden", "not hidden either"]


@pytest.fixture(scope="module")
def site(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with readers.running(tmp_path_factory.mktemp("feedgen")) as running:
        yield running


@pytest.fixture(scope="module")
def search(django_db_setup: None) -> Iterator[Search]:
    yield from searching.running()


@pytest.fixture
def world(
    site: Site, search: Search, clickhouse: None, valkey: redis.Redis, transactional_db: None
) -> dict[str, b.Record]:
    """A post for each of WAYS, each by an author of its own, in every feed; the feeds are ranked."""
    now = now_us()
    posts = {
        way: b.post(actor(number), at=now - HOUR - number * MINUTE, text=f"{WORD} {number}")
        for number, way in enumerate(WAYS)
    }
    likes = [b.like(actor(100 + liker), post, at=now - MINUTE) for post in posts.values() for liker in range(3)]
    store(*posts.values(), *likes, *(b.repost(REPOSTER, post, at=now - MINUTE) for post in posts.values()))
    for label in ("authors", "reposters"):
        Label.objects.create(name=label)
    for did in (*(post.did for post in posts.values()), MEMBER):
        membership.assign("authors", did, by="test")
    membership.assign("reposters", REPOSTER, by="test")
    for name, fields in FEEDS.items():
        define(name, list(posts.values()) if name == "chosen" else [], **fields)
    define(ELSEWHERE, list(posts.values()), kind="static")
    for number, post in enumerate(posts.values()):
        define(f"pin-{number}", [], kind="static", pinned_post=post.uri)
        instructions = {"visibility": "private", "instructions_post": post.uri}
        define(f"told-{number}", [], kind="label", parameters={"label": "reposters"}, **instructions)
    rank()
    for did in [*(post.did for post in posts.values()), MEMBER]:
        site.introduce(did)
    return posts


def define(name: str, posts: list[b.Record], **fields: Any) -> None:
    row = FeedDefinition.objects.create(publisher=PUBLISHER, rkey=name, display_name=name, **fields)
    for position, post in enumerate(posts):
        PinnedPost.objects.create(feed=row, position=position, uri=post.uri)


def rank() -> None:
    """As the worker does each minute."""
    data = FeedData()
    feeds = registry.ranked_feeds(Registry.of(definitions.enabled(config), data))
    done = refresh.refresh_due(feeds, data.generations, now=now_us(), force=True)
    assert {each.feed: each.outcome for each in done} == dict.fromkeys(("best", "hot", "top"), "published")


def walk(site: Site, feed: str, who: Did | None) -> set[str]:
    """What a reader gets of a feed, page by page."""
    found: set[str] = set()
    params: dict[str, Any] = {"feed": f"at://{PUBLISHER}/app.bsky.feed.generator/{feed}", "limit": 4}
    for _ in steps():
        headers = {} if who is None else {"Authorization": "Bearer " + token(KEY, iss=who, aud=SERVICE)}
        response = site.service.http.get(SKELETON, params=params, headers=headers)
        if response.status_code == 400 and response.json()["error"] == "UnknownFeed":
            return set()  # it learns of its feeds within a second
        assert response.status_code == 200, response.text
        found |= {entry["post"] for entry in response.json()["feed"]}
        if "cursor" not in response.json():
            break
        params["cursor"] = response.json()["cursor"]
    return found


def answers(site: Site, search: Search, authors: list[Did]) -> dict[str, Callable[[], set[str]]]:
    """What shows each public answer, by its name."""

    def together(*pages: set[str]) -> set[str]:
        return set().union(*pages)

    return {
        **{name: partial(walk, site, name, None) for name in (*FEEDS, ELSEWHERE)},
        "own-best": lambda: together(*(walk(site, "own-best", author) for author in authors)),
        "private": partial(walk, site, "private", MEMBER),
        "pin": lambda: together(*(walk(site, f"pin-{number}", None) for number in range(len(WAYS)))),
        "told": lambda: together(*(walk(site, f"told-{number}", None) for number in range(len(WAYS)))),
        "search": lambda: {uri for page in search.walk(WORD, limit=4) for uri in page},
        "search by author": lambda: {uri for author in authors for uri in search.found(WORD, author=author)},
    }


def test_every_kind_of_feed_is_among_the_answers() -> None:
    assert {fields["kind"] for fields in FEEDS.values()} == set(KINDS)


def test_what_must_not_be_shown_is_in_no_public_answer(site: Site, search: Search, world: dict[str, b.Record]) -> None:
    way_of = {post.uri: way for way, post in world.items()}
    authors = [Did(post.did) for post in world.values()]

    def settle(expected: Callable[[str], list[str]]) -> None:
        for name, answer in answers(site, search, authors).items():
            shown = partial(_ways, answer, way_of)
            wanted = expected(name)
            until(lambda: shown() == wanted, lambda: f"{name} shows {shown()}")  # noqa: B023 - called at once

    settle(lambda _: sorted(WAYS))

    for way, hide in EVERYWHERE.items():
        hide(world[way])
    feeds = [row.rkey for row in FeedDefinition.objects.exclude(rkey=ELSEWHERE)]
    for way, hide_here in HERE.items():
        hide_here(world[way], feeds)

    left = sorted(set(WAYS) - set(EVERYWHERE))
    here = sorted(set(left) - set(HERE))
    settle(lambda name: left if name in (ELSEWHERE, "search", "search by author") else here)


def _ways(answer: Callable[[], set[str]], way_of: dict[str, str]) -> list[str]:
    return sorted(way_of[uri] for uri in answer())
