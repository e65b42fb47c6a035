"""Static feeds: lists of people, and best posts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from feeds.kinds import like_counts
from feeds.kinds.static import OWN_FRESH, StaticParameters
from feeds.ranking.computed import ComputedRankings
from feeds.ranking.cursor import InvalidCursor, Ranked
from feeds.ranking.feed import FeedPage, FeedRequest, InvalidDefinition, PostKey
from feeds.ranking.generations import SECOND
from feeds.ranking.parameters import read
from feeds.ranking.ranking import RankedPost
from tests import builders as b
from tests.feeds.conftest import Site
from tests.feeds.kind_cases import CASES
from tests.feeds.worlds import DAY, HOUR, MINUTE, actor
from tests.rows import store
from tests.waiting import until

if TYPE_CHECKING:
    import redis

    from atsite.core.atproto.syntax import Did
    from feeds.ranking.feed import Parameters

MIRA, NOEL = actor(1), actor(2)


@pytest.fixture
def site(clickhouse: None, valkey: redis.Redis) -> Site:
    return Site(CASES["static"])


def keys(*posts: b.Record) -> tuple[PostKey, ...]:
    return tuple(PostKey(post.rkey, post.did) for post in posts)


def test_the_posts_stand_in_the_order_of_the_list_also_those_never_indexed(site: Site) -> None:
    old, new, unknown, deleted = (b.post(MIRA, at=site.time - n * HOUR, text=str(n)) for n in (9, 1, 5, 3))
    store(old, new, deleted, b.delete(deleted, at=site.time))
    site.define(posts=keys(unknown, new, deleted, old, new))
    assert site.walk(1) == site.walk(50) == [unknown.uri, new.uri, old.uri]


def test_a_post_that_was_purged_is_not_shown_as_one_that_was_never_indexed(site: Site) -> None:
    before, after = (b.post(MIRA, at=site.time - hours * HOUR, text=str(hours)) for hours in (9, 1))
    site.define(posts=keys(before, after))
    assert site.walk(9) == [before.uri, after.uri]
    store(b.floor(MIRA, at=site.time - 5 * HOUR))
    assert site.walk(9) == [after.uri]


def test_a_list_that_is_edited_during_a_walk_goes_on_where_the_walk_was(site: Site) -> None:
    posts = [b.post(MIRA, at=site.time - number * HOUR, text=str(number)) for number in range(6)]
    site.define(posts=keys(*posts))
    page = site.page(3)
    site.define(posts=keys(posts[5], *posts[:5]))  # the last one came to the top
    assert site.uris(site.page(9, page)) == [post.uri for post in posts[3:5]]
    site.define(posts=keys(*posts[:2], *posts[3:]))  # the last one shown is gone
    assert site.uris(site.page(9, page)) == [post.uri for post in posts[3:]]
    site.define(posts=())
    assert site.page(9, page) == FeedPage()


def best_of(site: Site, viewer: Did | None, cursor: Ranked | None = None, limit: int = 50) -> FeedPage:
    return site.read(FeedRequest(limit, cursor, viewer))


def test_a_reader_gets_their_own_best_posts(site: Site) -> None:
    now = site.time
    site.define(parameters={"source": "viewer_best", "min_likes": 2})
    posts = [b.post(MIRA, at=now - number * DAY, text=str(number)) for number in range(5)]
    foreign, reply = b.post(NOEL, at=now - DAY), b.post(MIRA, at=now - DAY, reply_to=posts[0])
    likes = [b.like(actor(100 + n), post, at=now - MINUTE) for number, post in enumerate(posts) for n in range(number)]
    store(*posts, foreign, reply, *likes, *(b.like(actor(100 + n), foreign, at=now) for n in range(9)))
    store(b.delete(likes[-1], at=now), *(b.like(actor(100 + n), reply, at=now) for n in range(9)))
    assert site.feed.depends_on_viewer
    assert best_of(site, None) == FeedPage()
    assert site.uris(best_of(site, NOEL)) == [foreign.uri]
    expected = [posts[3].uri, posts[4].uri, posts[2].uri]  # 3, 3 after one was taken back, 2
    assert site.uris(best_of(site, MIRA)) == expected
    first = best_of(site, MIRA, limit=1)
    assert isinstance(first.cursor, Ranked)
    with pytest.raises(InvalidCursor, match="beyond the end"):
        best_of(site, MIRA, Ranked(first.cursor.generation, len(expected)))
    store(*(b.like(actor(200 + n), posts[2], at=now) for n in range(9)))
    assert site.uris(best_of(site, MIRA, first.cursor)) == expected[1:]
    assert best_of(site, NOEL, first.cursor) == FeedPage()  # it names no list of theirs
    site.time += OWN_FRESH * SECOND
    assert site.uris(best_of(site, MIRA)) == expected  # the old one, while a new one is made
    until(lambda: site.uris(best_of(site, MIRA))[0] == posts[2].uri)


def test_a_reader_s_ranking_is_made_again_once_it_is_ten_minutes_old_and_not_before(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.define(parameters={"source": "viewer_best", "min_likes": 1})
    post = b.post(MIRA, at=site.time - HOUR)
    store(post, b.like(NOEL, post, at=site.time - MINUTE))
    begun: list[int] = []
    start = ComputedRankings.start

    def noted(computed: ComputedRankings, *arguments: Any, now: int, **options: Any) -> Any:
        begun.append(now)
        return start(computed, *arguments, now=now, **options)

    monkeypatch.setattr(ComputedRankings, "start", noted)
    first = site.time
    for age in (0, 1, 600 * SECOND - 1, 600 * SECOND):
        site.time = first + age
        assert site.uris(best_of(site, MIRA)) == [post.uri]
    assert begun == [first, first + 600 * SECOND]
    assert OWN_FRESH == 600


def test_of_more_posts_than_are_counted_the_newest_are(site: Site) -> None:
    old, new = (b.post(MIRA, at=site.time - days * DAY, text=str(days)) for days in (2, 1))
    store(old, new, *(b.like(actor(100 + number), old, at=site.time) for number in range(2)))
    store(b.like(actor(100), new, at=site.time))
    best = like_counts.best_posts_of(MIRA, min_likes=1, posts=1)
    assert best == [RankedPost(PostKey(new.rkey, MIRA), 1.0)]


def test_a_like_that_was_updated_still_counts(site: Site) -> None:
    liked = b.post(MIRA, at=site.time - DAY)
    like = b.like(actor(100), liked, at=site.time - HOUR)
    store(liked, like, b.update(like, at=site.time - MINUTE))
    best = like_counts.best_posts_of(MIRA, min_likes=1, posts=9)
    assert best == [RankedPost(PostKey(liked.rkey, MIRA), 1.0)]


def test_a_reader_s_best_posts_come_without_redis_as_well(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    import redis as client

    def away() -> client.Redis:
        raise client.ConnectionError("away")

    site.define(parameters={"source": "viewer_best", "min_likes": 1})
    post = b.post(MIRA, at=site.time - HOUR)
    store(post, b.like(NOEL, post, at=site.time - MINUTE))
    monkeypatch.setattr(site.data.generations, "_client", away)
    assert site.uris(best_of(site, MIRA)) == [post.uri]
    assert best_of(site, NOEL) == FeedPage()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"source": "mine"}, "source must be one of list, viewer_best, network_best"),
        ({"posts": 1}, "unknown parameter"),
    ],
)
def test_a_definition_with_wrong_parameters_is_refused(parameters: Parameters, message: str) -> None:
    with pytest.raises(InvalidDefinition, match=message):
        read(StaticParameters, parameters)
