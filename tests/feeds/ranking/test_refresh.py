"""Refreshing ranked feeds: single flight, what is due, and one feed's trouble that is not the others'."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from prometheus_client import REGISTRY

from atsite.core.atproto.syntax import Did, Rkey
from atsite.core.clickhouse.errors import Unreachable
from atsite.core.kv.lock import single_flight
from feeds import tasks
from feeds.ranking import refresh
from feeds.ranking.feed import Definition, FeedDescription, FeedPage, FeedRequest, PostKey, describe
from feeds.ranking.generations import SECOND, Generations
from feeds.ranking.ranking import RankedPost
from feeds.ranking.refresh import Refreshed
from feeds.serving.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import redis

NOW = 1_790_000_000 * SECOND
POST = RankedPost(PostKey("3laaaaaaaaaa2", "did:plc:a"), 1.0)


@dataclass
class Ranking:
    """A ranked feed whose ranking the test says."""

    rkey: str
    posts: list[RankedPost] = field(default_factory=lambda: [POST])
    fails: bool = False
    refresh_seconds: int = 60
    depends_on_viewer: bool = False
    ranked_at: list[int] = field(default_factory=list)

    @property
    def definition(self) -> Definition:
        return Definition(Did("did:plc:p"), Rkey(self.rkey), "hot", "", "")

    def page(self, request: FeedRequest) -> FeedPage:
        raise NotImplementedError

    def describe(self) -> FeedDescription:
        return describe(self.definition)

    def reasons(self, posts: Sequence[PostKey], moment: int) -> Mapping[PostKey, str]:
        raise NotImplementedError

    def rank(self, now: int, *, seconds: int) -> Sequence[RankedPost]:
        self.ranked_at.append(now)
        if self.fails:
            raise Unreachable("away", code=0, name="test")
        return self.posts


@pytest.fixture
def generations(valkey: redis.Redis) -> Generations:
    return Generations()


def test_a_refresh_makes_the_ranking_the_current_generation(generations: Generations) -> None:
    feed = Ranking("one")
    assert refresh.refresh(feed, generations, now=NOW) == Refreshed("one", "published", 1)
    current = generations.current("did:plc:p/one", now=NOW)
    assert current is not None
    assert (current.posts, current.made_at) == ((POST.key,), NOW)
    assert REGISTRY.get_sample_value("feed_generation_posts", {"feed": "one"}) == 1
    assert REGISTRY.get_sample_value("feed_generation_made_seconds", {"feed": "one"}) == NOW / SECOND


def test_an_empty_ranking_is_not_stored_and_replaces_nothing(generations: Generations) -> None:
    feed = Ranking("one", posts=[])
    assert refresh.refresh(feed, generations, now=NOW) == Refreshed("one", "empty", 0)
    assert generations.current("did:plc:p/one", now=NOW) is None
    feed.posts = [POST]
    refresh.refresh(feed, generations, now=NOW)
    feed.posts = []
    assert refresh.refresh(feed, generations, now=NOW + SECOND) == Refreshed("one", "empty", 1)
    current = generations.current("did:plc:p/one", now=NOW)
    assert current is not None
    assert current.made_at == NOW


def test_while_another_process_refreshes_a_feed_nothing_is_done(generations: Generations) -> None:
    feed, other = Ranking("one"), Ranking("two")
    with single_flight("feeds:did:plc:p/one:refresh", 30) as held:
        assert held
        assert refresh.refresh(feed, generations, now=NOW) == Refreshed("one", "busy", 0)
        assert refresh.refresh(other, generations, now=NOW) == Refreshed("two", "published", 1)
    assert feed.ranked_at == []
    assert refresh.refresh(feed, generations, now=NOW) == Refreshed("one", "published", 1)


def test_the_lock_is_free_after_a_failure(generations: Generations) -> None:
    feed = Ranking("one", fails=True)
    with pytest.raises(Unreachable):
        refresh.refresh(feed, generations, now=NOW)
    feed.fails = False
    assert refresh.refresh(feed, generations, now=NOW).outcome == "published"


def test_a_feed_is_due_when_its_generation_is_old_enough_even_if_the_clock_came_a_little_early(
    generations: Generations,
) -> None:
    feed = Ranking("one")
    for now in (NOW, NOW + 49 * SECOND, NOW + 59 * SECOND, NOW + 100 * SECOND, NOW + 119 * SECOND):
        refresh.refresh_due([feed], generations, now=now)
    assert feed.ranked_at == [NOW, NOW + 59 * SECOND, NOW + 119 * SECOND]
    refresh.refresh_due([feed], generations, now=NOW + 120 * SECOND, force=True)
    assert feed.ranked_at[-1] == NOW + 120 * SECOND


def test_one_feed_that_fails_does_not_keep_the_others_from_their_turn(generations: Generations) -> None:
    feeds = [Ranking("one", fails=True), Ranking("two")]
    assert refresh.refresh_due(feeds, generations, now=NOW) == [
        Refreshed("one", "failed", 0),
        Refreshed("two", "published", 1),
    ]


@pytest.mark.usefixtures("clickhouse")
def test_the_task_refreshes_the_feeds_of_this_site(generations: Generations, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Ranking("one")
    monkeypatch.setattr(tasks, "registry", lambda: Registry({feed.definition.uri: feed}))
    tasks.refresh_feeds()
    tasks.refresh_feeds()
    tasks.refresh_feeds(force=True)
    assert len(feed.ranked_at) == 2
    assert tasks.refresh_feeds.name == "feeds.refresh_feeds"
