"""Numbers are counted once for all who ask, and nobody waits long."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache as django_cache
from pydantic import TypeAdapter

from atsite.core.kv.lock import Lock
from indexer.index.stats import Totals
from search.stats import cached
from search.stats.cached import Cached, NotCounted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import redis
KEY, LOCK = "stats:totals", "stats.totals"


@dataclass
class Counter:
    """A count that goes on until it is let go; every count finds one post more."""

    go: Event = field(default_factory=Event)
    counts: int = 0

    def __call__(self) -> Totals:
        self.counts += 1
        assert self.go.wait(30)
        return Totals(self.counts, 0, 0, 0, 0, 0, 0, 0)


def totals_of(count: Callable[[], Totals], *, wait_seconds: float = 10) -> Cached[Totals]:
    return Cached("totals", count, TypeAdapter(Totals), wait_seconds=wait_seconds)


@pytest.fixture
def counter(valkey: redis.Redis) -> Iterator[Counter]:
    """A count; after the test every thread that counts, or waits to, has come to its end."""
    counter = Counter()
    yield counter
    counter.go.set()
    valkey.delete(Lock(LOCK, 1).key)
    for thread in threading.enumerate():
        if thread.name == "stats-totals":
            thread.join(30)
            assert not thread.is_alive()


def test_all_who_ask_at_once_share_one_count(valkey: redis.Redis, counter: Counter) -> None:
    cache = totals_of(counter, wait_seconds=30)
    with ThreadPoolExecutor(8) as callers:
        answers = [callers.submit(cache.current) for _ in range(8)]
        counter.go.set()

    assert {answer.result().value.posts for answer in answers} == {1}
    assert counter.counts == 1


def test_who_cannot_wait_is_told_so_and_finds_the_count_later(valkey: redis.Redis, counter: Counter) -> None:
    cache = totals_of(counter, wait_seconds=0.01)
    for _ in range(2):
        with pytest.raises(NotCounted, match="the totals are being counted, try again in a minute"):
            cache.current()
    counter.go.set()

    assert totals_of(counter, wait_seconds=30).current().value.posts == 1
    assert counter.counts == 1


def test_another_process_that_counts_is_waited_for(valkey: redis.Redis, counter: Counter) -> None:
    counter.go.set()
    lock = Lock(LOCK, 60)
    assert lock.acquire()
    cache = totals_of(counter, wait_seconds=0.01)
    with pytest.raises(NotCounted):
        cache.current()
    cache.refresh()
    assert counter.counts == 0

    found = {"value": dict.fromkeys(Totals.__dataclass_fields__, 7), "computed_at": "2026-01-01T00:00:00+00:00"}
    django_cache.set(KEY, found)

    assert cache.current().value == Totals(7, 7, 7, 7, 7, 7, 7, 7)
    assert cache.current().computed_at == datetime(2026, 1, 1, tzinfo=UTC)
    lock.release()


def test_a_refresh_replaces_what_is_cached_and_gives_the_lock_back(valkey: redis.Redis, counter: Counter) -> None:
    counter.go.set()
    cache = totals_of(counter)
    cache.refresh()
    cache.refresh()

    assert cache.current().value.posts == 2
    assert 0 < valkey.ttl(django_cache.make_key(KEY)) <= cached.CACHE_SECONDS
    assert Lock(LOCK, 1).acquire()


def test_a_count_that_fails_fails_for_its_callers_and_is_tried_again(valkey: redis.Redis, counter: Counter) -> None:
    def broken() -> Totals:
        if counter.counts == 0:
            counter.counts += 1
            raise RuntimeError("the store is away")
        return counter()

    counter.go.set()
    cache = totals_of(broken, wait_seconds=30)
    with pytest.raises(RuntimeError, match="the store is away"):
        cache.current()

    assert cache.current().value.posts == 2


def test_what_is_young_enough_is_not_counted_again(valkey: redis.Redis, counter: Counter) -> None:
    counter.go.set()
    cache = totals_of(counter)
    for _ in range(2):
        cache.refresh(older_than=timedelta(hours=1))
    assert counter.counts == 1

    cache.refresh(older_than=timedelta(0))
    assert counter.counts == 2
