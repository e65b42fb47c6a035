"""Refreshes of ranked feeds: each writes a new generation beside the older ones."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final, Literal

import redis
import structlog

from atsite.core.atproto.tid import CLOCK_ID_MAX, tid_of_micros
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.kv.lock import single_flight
from feeds.ranking import metrics
from feeds.ranking.feed import FeedUnavailable
from feeds.ranking.generations import SECOND
from feeds.ranking.ranking import Generation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feeds.ranking.generations import Generations
    from feeds.ranking.ranking import RankedFeed

logger = structlog.get_logger(__name__)

#: One ranking took 1.5 s over 20 million likes; ten times that is a server in trouble.
BUDGET_SECONDS: Final = 30
#: Single flight: longer than the four queries of one refresh can take, so that a lock never outlives its work for long.
LOCK_SECONDS: Final = 150
#: Celery beat runs each minute, a little early or late: a feed that is due this soon is refreshed now.
EARLY: Final = 10 * SECOND

Outcome = Literal["published", "empty", "busy", "failed"]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The outcome for one feed; `posts` is the size of the generation that readers get now."""

    feed: str
    outcome: Outcome
    posts: int


def refresh(feed: RankedFeed, generations: Generations, *, now: int) -> Refreshed:
    """Rank the feed at the moment `now` and make the result its current generation.

    An empty ranking is not stored. Does nothing while another process refreshes the same feed.
    Raises ClickHouseError, redis.RedisError, FeedUnavailable.
    """
    key = feed.definition.key
    with single_flight(f"feeds:{key}:refresh", LOCK_SECONDS) as mine:
        if not mine:
            return _done(feed, "busy", generations.newest(key, now=now))
        started = perf_counter()
        posts = tuple(post.key for post in feed.rank(now, seconds=BUDGET_SECONDS))
        if not posts:
            return _done(feed, "empty", generations.newest(key, now=now))
        generation = Generation(tid_of_micros(now, secrets.randbelow(CLOCK_ID_MAX + 1)), posts)
        generations.store(key, generation, now=now)
        metrics.REFRESH_SECONDS.labels(feed=feed.definition.rkey).observe(perf_counter() - started)
        return _done(feed, "published", generation)


def refresh_due(
    feeds: Iterable[RankedFeed], generations: Generations, *, now: int, force: bool = False
) -> list[Refreshed]:
    """Refresh the feeds that are due (all of them with `force`), one after the other.

    A feed that fails is logged and counted; the others are refreshed all the same.
    """
    results = []
    for feed in feeds:
        try:
            newest = generations.newest(feed.definition.key, now=now)
            if force or newest is None or now - newest.made_at >= feed.refresh_seconds * SECOND - EARLY:
                results.append(refresh(feed, generations, now=now))
            else:
                _note(feed, newest)
        except (ClickHouseError, redis.RedisError, FeedUnavailable) as error:
            logger.warning("feed_refresh_failed", feed=feed.definition.rkey, error=str(error))
            metrics.REFRESHES.labels(feed=feed.definition.rkey, outcome="failed").inc()
            results.append(Refreshed(feed.definition.rkey, "failed", 0))
    return results


def _done(feed: RankedFeed, outcome: Outcome, current: Generation | None) -> Refreshed:
    metrics.REFRESHES.labels(feed=feed.definition.rkey, outcome=outcome).inc()
    _note(feed, current)
    return Refreshed(feed.definition.rkey, outcome, len(current.posts) if current else 0)


def _note(feed: RankedFeed, current: Generation | None) -> None:
    if current is not None:
        metrics.GENERATION_POSTS.labels(feed=feed.definition.rkey).set(len(current.posts))
        metrics.GENERATION_MADE.labels(feed=feed.definition.rkey).set(current.made_at / SECOND)
