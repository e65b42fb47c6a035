"""What every kind of feed promises; a new kind needs a line in tests/feeds/kind_cases.py and none here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core.atproto.tid import tid_of_micros
from feeds.kinds import KINDS
from feeds.ranking.cursor import Computed, InvalidCursor, Newest, Ranked
from feeds.ranking.feed import FeedPage, FeedRequest, Pin, PostKey, RankingPending, SkeletonPost
from feeds.ranking.generations import IDLE, LIFE
from feeds.ranking.ranking import RankedFeed
from labels.blocks import Blocks
from tests import builders as b
from tests.feeds.kind_cases import CASES, posts_of
from tests.feeds.worlds import MINUTE
from tests.rows import store
from tests.steps import steps

if TYPE_CHECKING:
    import redis

    from tests.feeds.conftest import Site


def test_every_kind_is_tried_here() -> None:
    assert sorted({case.kind for case in CASES.values()}) == sorted(KINDS)


def test_an_empty_store_gives_an_empty_page_without_a_cursor(site: Site) -> None:
    assert site.page(50) == FeedPage()


def test_an_empty_ranking_is_not_published(ranked_site: Site) -> None:
    assert ranked_site.refresh() == "empty"
    assert ranked_site.page(50) == FeedPage()


@pytest.mark.parametrize(("limit", "count"), [(1, 25), (2, 25), (30, 101), (100, 101)])
def test_a_walk_shows_each_post_once_while_the_feed_is_refreshed(site: Site, limit: int, count: int) -> None:
    """Short pages of fewer posts: what such a page may do wrong, it does within one moment's three posts or after."""
    rows = site.publish(count)
    expected = site.walk(100)
    assert len(expected) == len(set(expected)) == count
    page, walked = site.page(limit), []
    for step in steps():
        assert 1 <= len(page.posts) <= limit
        walked += site.uris(page)
        if page.cursor is None:
            break
        if step % 10 == 0:
            site.disturb(rows, step)
        page = site.page(limit, page)
    assert walked == expected
    assert step == 0 or not site.case.moves or site.uris(site.page(1)) != expected[:1]


def test_every_page_but_the_last_is_full_and_the_last_has_no_cursor(site: Site) -> None:
    site.publish(60)
    first = site.page(30)
    second = site.page(30, first)
    assert (len(first.posts), len(second.posts), second.cursor) == (30, 30, None)


def test_the_same_cursor_gives_the_same_page(site: Site) -> None:
    site.publish(20)
    first = site.page(5)
    assert site.page(5, first) == site.page(5, first)


def test_a_walk_goes_on_in_another_process(site: Site) -> None:
    site.publish(20)
    expected = site.walk(100)
    first = site.page(7)
    site.restart()
    assert site.uris(first) + site.uris(site.page(50, first)) == expected


def test_a_cursor_of_another_kind_of_list_is_refused(site: Site) -> None:
    site.publish(5)
    ranked = isinstance(site.feed, RankedFeed)
    foreign = Newest("3laaaaaaaaaa2", b.ALICE) if ranked else Ranked("3laaaaaaaaaa2", 1)
    with pytest.raises(InvalidCursor):
        site.feed.page(FeedRequest(50, foreign))


def test_a_position_beyond_the_end_is_refused(ranked_site: Site) -> None:
    ranked_site.publish(5)
    cursor = ranked_site.page(1).cursor
    assert isinstance(cursor, Ranked)
    with pytest.raises(InvalidCursor):
        ranked_site.feed.page(FeedRequest(50, Ranked(cursor.generation, 5)))


def test_a_cursor_of_a_ranking_that_nobody_keeps_ends_the_walk_and_has_none_made(ranked_site: Site) -> None:
    store(*ranked_site.case.posts(5, ranked_site.time))
    moment = ranked_site.time - ranked_site.time % (15 * 1_000_000)
    for forged in (Computed(moment, 1e9, "3laaaaaaaaaa2", b.ALICE), Ranked(tid_of_micros(moment), 1)):
        assert ranked_site.feed.page(FeedRequest(50, forged)) == FeedPage()
    with pytest.raises(RankingPending, match="the ranking of this feed is being made"):  # so none was made until now
        ranked_site.feed.page(FeedRequest(50))


def test_a_computed_cursor_is_none_of_a_list(site: Site) -> None:
    if not isinstance(site.feed, RankedFeed):
        with pytest.raises(InvalidCursor):
            site.feed.page(FeedRequest(50, Computed(site.time, 1.0, "3laaaaaaaaaa2", b.ALICE)))


def test_deleted_posts_and_those_of_inactive_authors_vanish_at_read_time_and_the_page_stays_full(site: Site) -> None:
    rows = site.publish(40)
    before = site.walk(100)
    by_uri = {post.uri: post for post in posts_of(rows)}
    deleted, inactive, dead = by_uri[before[0]], by_uri[before[3]], by_uri[before[9]]
    store(
        b.delete(deleted, at=site.time),
        b.account(inactive.did, active=False, status="takendown", at=site.time),
        b.floor(dead.did, at=site.time),
    )
    left = [uri for uri in before if uri not in (deleted.uri, inactive.uri, dead.uri)]
    assert site.uris(site.page(10)) == left[:10]
    assert site.walk(7) == site.walk(100) == left
    store(b.account(inactive.did, active=True, at=site.time + MINUTE))
    assert site.walk(100) == [uri for uri in before if uri not in (deleted.uri, dead.uri)]


def test_a_feed_without_living_posts_is_an_empty_page(site: Site) -> None:
    rows = site.publish(3)
    store(*(b.delete(post, at=site.time) for post in posts_of(rows)))
    assert site.page(1) == site.page(50) == FeedPage()


def test_a_walk_outlives_a_flushed_redis(site: Site, valkey: redis.Redis) -> None:
    site.publish(20)
    expected = site.walk(100)
    first = site.page(7)
    valkey.flushdb()
    assert site.uris(site.page(20, first)) == expected[7:]
    assert site.walk(3) == expected


def test_an_expired_walk_ends(ranked_site: Site, valkey: redis.Redis) -> None:
    ranked_site.publish(20)
    first = ranked_site.page(7)
    valkey.flushdb()
    ranked_site.restart()
    assert ranked_site.page(7, first) == FeedPage()


def test_a_generation_lives_half_an_hour_after_its_last_page_and_six_hours_at_most(
    ranked_site: Site, valkey: redis.Redis
) -> None:
    ranked_site.publish(20)
    made_at = ranked_site.time
    first = ranked_site.page(1)
    valkey.flushdb()
    while ranked_site.time + IDLE - MINUTE < made_at + LIFE:
        ranked_site.time += IDLE - MINUTE
        assert len(ranked_site.page(1, first).posts) == 1
    ranked_site.time = made_at + LIFE
    valkey.flushdb()
    assert ranked_site.page(1, first) == FeedPage()


def test_a_copy_that_nobody_read_for_half_an_hour_is_dropped(ranked_site: Site, valkey: redis.Redis) -> None:
    ranked_site.publish(20)
    first = ranked_site.page(1)
    valkey.flushdb()
    ranked_site.time += IDLE
    assert ranked_site.page(1, first) == FeedPage()


def test_without_a_generation_a_first_page_has_one_made_and_walks_to_its_end(
    ranked_site: Site, valkey: redis.Redis
) -> None:
    store(*ranked_site.case.posts(45, ranked_site.time))
    with pytest.raises(RankingPending):
        ranked_site.feed.page(FeedRequest(7))
    pages = [ranked_site.walk(limit) for limit in (1, 7, 100)]
    assert [len(page) for page in pages] == [45, 45, 45]
    first = ranked_site.page(7)
    ranked_site.restart()  # another process reads the same
    assert ranked_site.uris(first) + ranked_site.uris(ranked_site.page(100, first)) == pages[0]
    ranked_site.time += IDLE
    valkey.flushdb()
    ranked_site.restart()
    assert ranked_site.page(7, first) == FeedPage()


def test_the_first_page_comes_from_the_newest_generation(ranked_site: Site) -> None:
    rows = ranked_site.publish(20)
    before = ranked_site.walk(100)
    ranked_site.disturb(rows)
    assert ranked_site.walk(100) != before


@pytest.mark.parametrize("ranked_site", ["hot", "top"], indirect=True)
def test_an_empty_generation_never_replaces_a_full_one(ranked_site: Site) -> None:
    ranked_site.publish(20)
    before = ranked_site.walk(100)
    assert ranked_site.refresh(later=40 * 60 * MINUTE) == "empty"  # all posts are too old by now
    ranked_site.time -= 40 * 60 * MINUTE
    assert ranked_site.walk(100) == before


def test_a_feed_says_who_it_is(site: Site) -> None:
    description = site.feed.describe()
    assert str(description.uri) == f"at://{site.definition.publisher}/app.bsky.feed.generator/a-{site.case.kind}"
    assert (description.display_name, description.description) == ("A feed", "Of a test.")


@pytest.mark.parametrize(("limit", "count"), [(1, 12), (2, 12), (30, 40)])
def test_a_pinned_post_stands_on_the_first_page_within_its_limit_and_nowhere_else(
    site: Site, limit: int, count: int
) -> None:
    rows = site.publish(count)
    expected = site.walk(100)
    pinned = next(post for post in posts_of(rows) if post.uri == expected[7])
    site.define(pinned=PostKey(pinned.rkey, pinned.did))
    rest = [uri for uri in expected if uri != pinned.uri]
    first = site.page(limit)
    if limit == 1:  # a look whether there is anything new, which a pin would hide
        assert site.uris(first) == rest[:1]
        assert site.walk(1) == rest
        return
    assert first.posts[0] == SkeletonPost(pinned.uri, Pin())
    assert len(first.posts) == limit
    assert all(entry.reason != Pin() for entry in first.posts[1:])
    assert site.walk(limit) == [pinned.uri, *rest]


def test_a_pin_need_not_be_of_the_feed_and_is_not_shown_when_it_is_gone_or_blocked(site: Site) -> None:
    site.publish(5)
    expected = site.walk(10)
    pinned, unknown = (b.post(b.ALICE, at=site.time - MINUTE, text=text) for text in ("pinned", "unknown"))
    store(pinned)
    site.define(pinned=PostKey(unknown.rkey, unknown.did))
    assert site.walk(10) == [unknown.uri, *expected]
    site.define(pinned=PostKey(pinned.rkey, pinned.did))
    assert site.walk(10) == [pinned.uri, *expected]
    site.blocks = Blocks(uris=frozenset({pinned.uri}))
    assert site.walk(10) == expected
    site.blocks = Blocks(frozenset({b.ALICE}))
    assert site.walk(10) == expected
    site.blocks = Blocks()
    store(b.delete(pinned, at=site.time))
    assert site.walk(10) == expected


@pytest.mark.parametrize("limit", [7, 100])
def test_what_is_blocked_is_left_out_at_once_and_the_walk_stays_exact(site: Site, limit: int) -> None:
    rows = site.publish(40)
    expected = site.walk(100)
    first = site.page(limit)
    by_uri = {post.uri: post for post in posts_of(rows)}
    author = by_uri[expected[30]].did
    site.blocks = Blocks(frozenset({author}), frozenset({expected[20]}))
    left = [uri for uri in expected if uri != expected[20] and by_uri[uri].did != author]
    assert site.walk(limit) == left
    walked, page = site.uris(first), first
    for _ in steps():
        if page.cursor is None:
            break
        page = site.page(limit, page)
        walked += site.uris(page)
    seen = expected[:limit]
    assert walked == seen + [uri for uri in left if uri not in seen]
