"""Label feeds: who is in them, in which order, and what a repost brings in."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.atproto.timestamps import datetime_of_micros
from atsite.core.web.store_timeouts import StoreGuard
from feeds.kinds import label, make_feed
from feeds.kinds.label import LabelParameters
from feeds.ranking.cursor import InvalidCursor, Newest
from feeds.ranking.feed import FeedPage, FeedRequest, FeedUnavailable, InvalidDefinition, PostKey, Repost, SkeletonPost
from feeds.ranking.parameters import read
from labels.blocks import Blocks
from tests import builders as b
from tests.feeds.conftest import Site
from tests.feeds.kind_cases import CASES, LABEL
from tests.feeds.worlds import DAY, HOUR, MINUTE, actor, carry
from tests.rows import store

if TYPE_CHECKING:
    import redis

    from feeds.ranking.feed import Parameters

MIRA, NOEL, OTTO, STRANGER = (actor(number) for number in range(4))


@pytest.fixture(params=["few", "many"])
def site(
    request: pytest.FixtureRequest, clickhouse: None, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> Site:
    """A site with a label feed without members, read by author or by time."""
    monkeypatch.setattr(label, "BY_AUTHOR_MAX", 100 if request.param == "few" else -1)
    return Site(CASES["label, few"])


def test_a_member_added_brings_their_posts_and_one_removed_takes_them_away(site: Site) -> None:
    now = site.time
    hers, his = (b.post(who, at=now - HOUR - number) for number, who in enumerate((MIRA, NOEL)))
    store(hers, his, b.post(STRANGER, at=now - HOUR))
    assert site.walk(10) == []
    carry(LABEL, MIRA)
    assert site.walk(10) == [hers.uri]
    carry(LABEL, NOEL, version=2)
    carry("another", STRANGER)
    assert site.walk(10) == [hers.uri, his.uri]
    carry(LABEL, MIRA, version=3, deleted=True)
    assert site.walk(10) == [his.uri]


def test_only_eligible_posts_stand_in_it_and_replies_when_they_are_asked_for(site: Site) -> None:
    now = site.time
    good = b.post(MIRA, at=now - HOUR, text="good")
    reply = b.post(MIRA, at=now - HOUR + 1, reply_to=good)
    store(
        good,
        reply,
        b.post(MIRA, at=now - MINUTE, created_at=datetime_of_micros(now - 2 * DAY), text="imported"),
        b.post(MIRA, at=now + HOUR, rev_at=now, text="forged"),
        b.post(MIRA, at=now, rkey="zzz-odd", text="odd"),
    )
    carry(LABEL, MIRA)
    assert site.walk(1) == [good.uri]
    site.define(parameters={"label": LABEL, "replies": True})
    assert site.walk(1) == [reply.uri, good.uri]


def test_posts_of_one_moment_are_ordered_by_did_and_none_is_missed_at_a_page_s_end(site: Site) -> None:
    moment = site.time - HOUR
    posts = [b.post(who, at=moment, rkey=tid_of_micros(moment)) for who in (MIRA, NOEL, OTTO)]
    store(*posts)
    carry(LABEL, MIRA, NOEL, OTTO)
    expected = sorted((post.uri for post in posts), reverse=True)
    assert [site.walk(limit) for limit in (1, 2, 3, 50)] == [expected] * 4


def test_a_page_is_filled_from_further_down(site: Site) -> None:
    now = site.time
    posts = [b.post(MIRA, at=now - HOUR - number * MINUTE, text=str(number)) for number in range(60)]
    blocked = b.post(NOEL, at=now - HOUR - MINUTE)
    store(*posts, *(b.post(NOEL, at=now - MINUTE - number) for number in range(100)), blocked)
    store(b.account(OTTO, active=False, status="takendown", at=now), b.post(OTTO, at=now - 1))
    carry(LABEL, MIRA, NOEL, OTTO)
    site.blocks = Blocks(frozenset({NOEL}), frozenset({posts[0].uri}))
    assert site.uris(site.page(5)) == [post.uri for post in posts[1:6]]
    assert site.walk(30) == [post.uri for post in posts[1:]]


def test_where_nothing_that_may_be_shown_is_found_no_page_is_empty(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.index.page_refill.REFILLS", 1)
    store(*(b.post(NOEL, at=site.time - MINUTE - number) for number in range(200)))
    carry(LABEL, NOEL)
    site.blocks = Blocks(frozenset({NOEL}))
    with pytest.raises(FeedUnavailable):
        site.page(10)


def test_a_cursor_that_is_no_moment_is_refused_and_one_of_the_future_begins_at_the_top(site: Site) -> None:
    post = b.post(MIRA, at=site.time - HOUR)
    store(post)
    carry(LABEL, MIRA)
    with pytest.raises(InvalidCursor):
        site.feed.page(FeedRequest(5, Newest("zzz-odd", MIRA)))
    assert site.feed.page(FeedRequest(5, Newest("jzzzzzzzzzzzz", MIRA))) == FeedPage((SkeletonPost(post.uri),))


def test_without_clickhouse_there_is_no_page(site: Site) -> None:
    away = StoreGuard("clickhouse", seconds=0, pause=60)
    feed = make_feed(site.definition, replace(site.data, lookups=away))
    with pytest.raises(FeedUnavailable):
        feed.page(FeedRequest(5))


def test_reposts_bring_a_post_in_once_where_it_came_first(site: Site) -> None:
    now = site.time
    site.define(parameters={"label": LABEL, "reposts": True})
    foreign, members = b.post(STRANGER, at=now - 5 * HOUR), b.post(MIRA, at=now - 4 * HOUR)
    first, second = b.repost(NOEL, foreign, at=now - 3 * HOUR), b.repost(MIRA, foreign, at=now - 2 * HOUR)
    store(foreign, members, first, second, b.repost(NOEL, members, at=now - HOUR), b.repost(STRANGER, foreign, at=now))
    carry(LABEL, MIRA, NOEL)
    whole = (SkeletonPost(foreign.uri, Repost(first.uri)), SkeletonPost(members.uri))
    assert site.page(10) == FeedPage(whole)
    assert site.walk(1) == [foreign.uri, members.uri]
    store(b.delete(first, at=now))
    assert site.page(10).posts == (SkeletonPost(foreign.uri, Repost(second.uri)), whole[1])
    carry(LABEL, MIRA, version=2, deleted=True)
    assert site.page(10).posts == (SkeletonPost(members.uri, Repost(b.repost(NOEL, members, at=now - HOUR).uri)),)


def test_a_repost_goes_with_its_subject_and_with_whoever_reposted(site: Site) -> None:
    now = site.time
    site.define(parameters={"label": LABEL, "reposts": True})
    subjects = [b.post(actor(10 + number), at=now - 9 * HOUR) for number in range(4)]
    unknown = b.post(actor(20), at=now - 9 * HOUR)
    reposts = [b.repost(MIRA, post, at=now - HOUR - number) for number, post in enumerate([*subjects, unknown])]
    store(*subjects, *reposts, b.repost(MIRA, "at://did:plc:x/app.bsky.feed.generator/one", at=now - HOUR))
    store(b.delete(subjects[0], at=now), b.account(subjects[1].did, active=False, status="deactivated", at=now))
    carry(LABEL, MIRA, NOEL)
    site.blocks = Blocks(uris=frozenset({subjects[2].uri}))
    assert site.walk(1) == [subjects[3].uri, unknown.uri]
    site.define(pinned=PostKey(subjects[3].rkey, subjects[3].did))
    assert site.walk(1) == [unknown.uri]
    later = b.repost(NOEL, unknown, at=now - MINUTE)
    store(later)
    site.blocks = Blocks(frozenset({MIRA}))
    assert site.feed.page(FeedRequest(5)).posts == (SkeletonPost(unknown.uri, Repost(later.uri)),)


def test_what_a_member_posted_and_reposted_is_hidden_while_the_member_is_inactive(site: Site) -> None:
    now = site.time
    site.define(parameters={"label": LABEL, "reposts": True})
    foreign, own = b.post(STRANGER, at=now - 5 * HOUR), b.post(NOEL, at=now - 4 * HOUR)
    first, second = b.repost(NOEL, foreign, at=now - 3 * HOUR), b.repost(MIRA, foreign, at=now - 2 * HOUR)
    store(foreign, own, first, second)
    carry(LABEL, MIRA, NOEL)
    active = (SkeletonPost(foreign.uri, Repost(first.uri)), SkeletonPost(own.uri))
    assert site.page(10).posts == active
    store(b.account(NOEL, active=False, status="deactivated", at=now - 2 * MINUTE))
    assert site.page(10).posts == (SkeletonPost(foreign.uri, Repost(second.uri)),)
    store(b.account(MIRA, active=False, status="suspended", at=now - 2 * MINUTE))
    assert site.page(10) == FeedPage()
    store(b.account(NOEL, active=True, at=now - MINUTE))
    assert site.page(10).posts == active


def test_a_busy_community_with_reposts_is_walked_as_by_brute_force(site: Site) -> None:
    random, now = Random(7), site.time
    site.define(parameters={"label": LABEL, "reposts": True})
    members = [actor(number) for number in range(8)]
    posts = [b.post(actor(random.randrange(12)), at=now - random.randrange(HOUR, 3 * DAY)) for _ in range(120)]
    reposts = [
        b.repost(actor(random.randrange(12)), random.choice(posts), at=now - random.randrange(HOUR)) for _ in range(200)
    ]
    undone = reposts[::9]
    store(*posts, *reposts, *(b.delete(repost, at=now) for repost in undone))
    carry(LABEL, *members)
    shown = {post.uri: (post.rkey, post.did) for post in posts if post.did in members}
    for repost in sorted((repost for repost in reposts if repost not in undone), key=_place):
        assert repost.record is not None
        if repost.did in members:
            shown.setdefault(repost.record["subject"]["uri"], (repost.rkey, repost.did))
    expected = sorted(shown, key=lambda uri: shown[uri], reverse=True)
    assert len(expected) > 100
    assert [site.walk(limit) for limit in (7, 100)] == [expected] * 2


def _place(record: b.Record) -> tuple[str, str]:
    return (record.rkey, record.did)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "missing parameter: label"),
        ({"label": ""}, "label must be the name of a label"),
        ({"label": "a b"}, "label must be the name of a label"),
        ({"label": "mpls", "replies": 1}, "replies must be true or false"),
        ({"label": "mpls", "likes": 1}, "unknown parameter 'likes'"),
    ],
)
def test_a_definition_with_wrong_parameters_is_refused(parameters: Parameters, message: str) -> None:
    with pytest.raises(InvalidDefinition, match=message):
        read(LabelParameters, parameters)
