"""Feeds read as people read them: an app, its PDS, the AppView, this generator, and all the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from apikeys import keys
from apikeys.models import add_key
from atsite.core.clickhouse import door
from atsite.core.web.auth import Scope
from feeds.models import FeedDefinition
from labels import membership
from labels.models import Block, Label
from tests.devnet import community, index
from tests.devnet.community import HOT, MEMBER, PRIVATE, PUBLIC, STRANGER, TOP, await_posts, by_likes, flat, of_label
from tests.devnet.site import GET_FEED, SKELETON, uris
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.devnet.network import Network
    from tests.devnet.site import Site

pytestmark = [pytest.mark.devnet, pytest.mark.slow]
REPOSTED = "app.bsky.feed.defs#reasonRepost"
PIN = {"$type": "app.bsky.feed.defs#reasonPin"}
SEND = "/xrpc/app.bsky.feed.sendInteractions"


@pytest.fixture(scope="module")
def instructions(site: Site) -> str:
    """The feeds are defined and published, and all is indexed; the post that strangers see of the private one."""
    post = community.define(site)
    site.publish(PRIVATE, PUBLIC, HOT, TOP)
    index.await_truth(site.network)
    return post


@pytest.fixture
def ready(site: Site, instructions: str) -> Site:
    return site


@pytest.mark.parametrize("limit", [1, 4, 30, 100])
def test_a_member_reads_a_private_feed_to_its_end(ready: Site, limit: int) -> None:
    expected = of_label(ready.network, "mpls")
    assert len(expected) > 20
    pages = ready.walk(PRIVATE, MEMBER, limit=limit)
    assert flat(pages) == expected
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


@pytest.mark.parametrize("reader", [STRANGER, None])
def test_others_get_the_instructions_of_a_private_feed(ready: Site, instructions: str, reader: str | None) -> None:
    assert ready.walk(PRIVATE, reader, limit=30) == [[instructions]]


@pytest.mark.parametrize("reader", [MEMBER, STRANGER, None])
def test_everybody_reads_a_public_feed_to_its_end(ready: Site, reader: str | None) -> None:
    expected = await_posts(ready, PUBLIC, "tqsp")
    assert len(expected) > 25
    for limit in (7, 100):
        assert flat(ready.walk(PUBLIC, reader, limit=limit)) == expected


@pytest.mark.parametrize("rkey", [HOT, TOP])
def test_a_ranked_feed_shows_the_most_liked_posts_first(ready: Site, rkey: str) -> None:
    index.await_truth(ready.network)
    ready.network.settle()
    expected = by_likes(ready.network)  # all are of one hour, so age decides between equally liked ones only
    assert len(expected) > 15
    ready.rank()
    for reader in (MEMBER, None):
        for limit in (3, 100):
            assert flat(ready.walk(rkey, reader, limit=limit)) == expected


def test_new_posts_come_first_and_shift_no_page_of_a_walk(ready: Site) -> None:
    before = await_posts(ready, PUBLIC, "tqsp")
    first = ready.page(PUBLIC, MEMBER, limit=5)
    (new,) = ready.network.act("dan", "post")
    assert await_posts(ready, PUBLIC, "tqsp") == [new, *before]
    second = ready.page(PUBLIC, MEMBER, limit=100, cursor=first["cursor"])
    assert uris(first) + uris(second) == before


def test_a_post_deleted_on_the_pds_vanishes(ready: Site) -> None:
    (post,) = ready.network.act("alice", "post")
    assert post in await_posts(ready, PUBLIC, "tqsp")
    alice = ready.network.account("alice")
    token = alice.token
    repo, rkey = alice.did, post.rpartition("/")[2]
    ready.network.pds.post(
        "/xrpc/com.atproto.repo.deleteRecord",
        json={"repo": repo, "collection": index.POST, "rkey": rkey},
        headers={"Authorization": f"Bearer {token}"},
    ).raise_for_status()
    remaining = await_posts(ready, PUBLIC, "tqsp")
    assert post not in remaining
    assert flat(ready.walk(PUBLIC, None, limit=10)) == remaining


def test_posts_go_and_come_with_their_author_s_account(ready: Site) -> None:
    network = ready.network
    author = network.account("on-and-off")
    network.act("on-and-off", "post", n=2)
    membership.assign("tqsp", author.did, by="test")
    with_them = await_posts(ready, PUBLIC, "tqsp")
    network.ask("POST", "/account-event", account="on-and-off", action="deactivate")
    without = await_posts(ready, PUBLIC, "tqsp")
    assert len(with_them) - len(without) == 2
    network.ask("POST", "/account-event", account="on-and-off", action="activate")
    assert await_posts(ready, PUBLIC, "tqsp") == with_them
    network.ask("POST", "/account-event", account="on-and-off", action="delete")
    assert await_posts(ready, PUBLIC, "tqsp") == without


def test_somebody_becomes_a_member_by_handle_and_is_one_at_once(ready: Site, instructions: str) -> None:
    newcomer = ready.network.account("newcomer")
    ready.network.act("newcomer", "post", n=3)
    index.await_truth(ready.network)
    ready.network.settle()
    assert ready.walk(PRIVATE, "newcomer", limit=10) == [[instructions]]
    key = keys.mint()
    add_key(key, scopes=[Scope.MEMBERS], feeds=[PRIVATE], note="devnet")
    query = {"feedName": PRIVATE, "handle": newcomer.handle}
    for path, expected in (
        ("/assign_user_to_feed", True),
        ("/assign_user_to_feed", False),
        ("/unassign_user_from_feed", True),
    ):
        response = ready.http.put(path, params=query, headers={"X-API-Key": key.text})
        assert (response.status_code, response.json()["did"], response.json()["changed"]) == (
            200,
            newcomer.did,
            expected,
        )
        if path == "/assign_user_to_feed":
            assert flat(ready.walk(PRIVATE, "newcomer", limit=9)) == of_label(ready.network, "mpls")
    assert ready.walk(PRIVATE, "newcomer", limit=10) == [[instructions]]


@dataclass
class Pinned:
    """A public feed under a post of its own list."""

    post: str
    others: list[str]


@pytest.fixture
def pinned(ready: Site) -> Iterator[Pinned]:
    posts = await_posts(ready, PUBLIC, "tqsp")
    post = posts[3]
    FeedDefinition.objects.filter(rkey=PUBLIC).update(pinned_post=post)
    until(lambda: ready.posts(PUBLIC)[0] == post, lambda: ready.posts(PUBLIC))
    yield Pinned(post, [each for each in posts if each != post])
    FeedDefinition.objects.filter(rkey=PUBLIC).update(pinned_post="")
    until(lambda: ready.posts(PUBLIC) == posts, lambda: ready.posts(PUBLIC))


def test_a_pinned_post_stands_once_above_the_feed_with_its_reason(ready: Site, pinned: Pinned) -> None:
    page = ready.page(PUBLIC, MEMBER, limit=5)
    assert [entry.get("reason") for entry in page["feed"]] == [PIN, None, None, None, None]
    for limit in (2, 100):
        assert flat(ready.walk(PUBLIC, None, limit=limit)) == [pinned.post, *pinned.others]
    assert flat(ready.walk(PUBLIC, None, limit=1)) == pinned.others  # a look whether there is anything new


def test_a_blocked_author_is_seen_by_nobody(ready: Site) -> None:
    posts = await_posts(ready, PUBLIC, "tqsp")
    bob = ready.network.account("bob").did
    remaining = [post for post in posts if bob not in post]
    assert len(remaining) < len(posts)
    block = Block.objects.create(subject=bob)
    until(lambda: ready.posts(PUBLIC) == remaining, lambda: ready.posts(PUBLIC))
    assert flat(ready.walk(PUBLIC, MEMBER, limit=6)) == remaining
    block.delete()
    until(lambda: ready.posts(PUBLIC) == posts, lambda: ready.posts(PUBLIC))


def test_who_blocks_an_author_reads_the_rest_to_the_end(ready: Site) -> None:
    posts = await_posts(ready, PUBLIC, "tqsp")
    bob = ready.network.account("bob").did
    pages = ready.walk(PUBLIC, "dan", limit=1)  # dan blocks bob; the AppView leaves bob's posts out of their pages
    assert len(pages) == len(posts)
    assert flat(pages) == [post for post in posts if bob not in post]


def test_replies_and_reposts_of_a_community_come_with_their_reason(ready: Site) -> None:
    label, rkey = Label.objects.create(name="some"), "cl-some"
    for name in ("bob", "dan"):  # not alice, whose posts they repost
        membership.assign(label.name, ready.network.account(name).did, by="test")
    FeedDefinition.objects.create(
        rkey=rkey,
        kind="label",
        parameters={"label": label.name, "replies": True, "reposts": True},
        display_name="All of it",
    )
    index.await_truth(ready.network)
    ready.publish(rkey)
    expected = community.with_reposts(ready.network, label.name)
    assert len({reposter for _, reposter in expected}) == 3  # none, and either
    for limit in (4, 100):
        pages = ready.pages(rkey, MEMBER, limit=limit)
        assert [_with_reposter(entry) for page in pages for entry in page["feed"]] == expected


def _with_reposter(entry: dict[str, Any]) -> tuple[str, str]:
    """The post, and the did of who reposted it."""
    reason = entry.get("reason", {"$type": REPOSTED, "by": {"did": ""}})
    assert reason["$type"] == REPOSTED
    return entry["post"]["uri"], reason["by"]["did"]


def test_no_log_names_a_reader(ready: Site) -> None:
    before = len(ready.log.read_text())
    token = ready.network.service_token(MEMBER, aud=ready.service_did, lxm="app.bsky.feed.getFeed")
    assert ready.skeleton(PRIVATE, token).status_code == 401
    until(lambda: SKELETON in ready.log.read_text()[before:], ready.log.read_text)
    assert flat(ready.walk(PRIVATE, MEMBER, limit=100))
    log = ready.log.read_text()
    assert [word for word in (ready.network.account(MEMBER).did, token, "Bearer") if word in log] == []


def test_a_reader_s_token_counts_for_the_service_and_the_method_it_was_made_for(ready: Site, instructions: str) -> None:
    expected = of_label(ready.network, "mpls")

    def read(reader: str, aud: str, lxm: str) -> tuple[int, list[str] | str]:
        token = ready.network.service_token(reader, aud=aud, lxm=lxm)
        response = ready.skeleton(PRIVATE, token, limit=100)
        body = response.json()
        return response.status_code, body["error"] if "error" in body else [entry["post"] for entry in body["feed"]]

    service = ready.service_did
    assert read(MEMBER, service, SKELETON) == (200, expected)
    assert read(MEMBER, f"{service}#bsky_fg", SKELETON) == (200, expected)
    assert read(STRANGER, service, SKELETON) == (200, [instructions])
    assert read(MEMBER, ready.network.appview_did, SKELETON) == (401, "BadJwtAudience")
    assert read(MEMBER, service, "app.bsky.feed.getFeed") == (401, "BadJwtLexiconMethod")


def test_an_app_that_skips_its_pds_is_told_that_its_token_is_for_another(ready: Site) -> None:
    token = ready.network.service_token(MEMBER, aud=ready.network.appview_did, lxm="app.bsky.feed.getFeed")
    response = ready.network.appview.get(
        GET_FEED, params={"feed": ready.uri(PUBLIC)}, headers={"Authorization": f"Bearer {token}"}
    )
    assert (response.status_code, response.json()["error"]) == (401, "BadJwtAudience")


def test_a_feed_that_is_not_here_is_unknown_to_the_reader(ready: Site, network: Network) -> None:
    service = ready.http.base_url
    network.ask("POST", "/feedgen", account="alice", rkey="elsewhere", endpoint=str(service), did=ready.service_did)
    response = network.appview.get(
        GET_FEED, params={"feed": f"at://{network.account('alice').did}/app.bsky.feed.generator/elsewhere"}
    )
    assert (response.status_code, response.json()["error"]) == (400, "UnknownFeed")


@dataclass(frozen=True)
class _Stored:
    feed: str
    item: str
    event: str
    context: str
    request: str


def test_what_a_reader_s_app_reports_arrives_through_the_pds(ready: Site) -> None:
    item = of_label(ready.network, "tqsp")[0]
    reported = [
        {"item": item, "event": "app.bsky.feed.defs#requestLess", "feedContext": "here", "reqId": "r1"},
        {"item": item, "event": "app.bsky.feed.defs#interactionSeen"},
    ]
    member = ready.network.account(MEMBER)
    response = ready.network.pds.post(
        SEND,
        json={"feed": ready.uri(PUBLIC), "interactions": reported},
        headers={"Authorization": f"Bearer {member.token}", "atproto-proxy": f"{ready.service_did}#bsky_fg"},
    )
    assert (response.status_code, response.json()) == (200, {})

    def stored() -> list[_Stored]:
        sql = "SELECT feed, item, event, feed_context, req_id FROM feed_interactions ORDER BY event DESC"
        return door.query(sql, into=_Stored, name="tests.devnet_interactions")

    expected = [
        _Stored(PUBLIC, item, "app.bsky.feed.defs#requestLess", "here", "r1"),
        _Stored(PUBLIC, item, "app.bsky.feed.defs#interactionSeen", "", ""),
    ]
    until(lambda: stored() == expected, stored)


def test_nobody_s_report_is_refused(ready: Site) -> None:
    response = ready.http.post(SEND, json={"interactions": []})
    assert (response.status_code, response.json()["error"]) == (401, "AuthenticationRequired")
