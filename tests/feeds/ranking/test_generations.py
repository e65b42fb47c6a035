"""Stored generations, with a real Valkey behind a wire that can be cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.config import config
from feeds.ranking.feed import FeedUnavailable, PostKey
from feeds.ranking.generations import IDLE, LIFE, SECOND, TOUCH, Generations
from feeds.ranking.ranking import Generation
from tests.feeds.wire import Wire
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = 1_790_000_000 * SECOND
FEED = "did:plc:p/whats-hot"
POSTS = tuple(PostKey(tid_of_micros(NOW - number), f"did:plc:{number}") for number in range(5))


@dataclass
class Store:
    """Generations over a wire, and the Valkey itself."""

    wire: Wire
    valkey: redis.Redis
    generations: Generations

    def keys(self) -> list[str]:
        return sorted(str(key, "ascii") for key in self.valkey.keys("*") if isinstance(key, bytes))

    def process(self) -> Generations:
        return Generations(self._client)

    def _client(self) -> redis.Redis:
        return _connect(self.wire.port)


def _connect(port: int) -> redis.Redis:
    """Without retries, which would only make the tests slow."""
    address = urlsplit(config.redis_url)
    return redis.Redis(
        host="127.0.0.1",
        port=port,
        db=int(address.path[1:]),
        password=address.password,
        retry=Retry(NoBackoff(), 0),
    )


@pytest.fixture
def store(valkey: redis.Redis) -> Iterator[Store]:
    address = urlsplit(config.redis_url)
    with Wire(str(address.hostname), int(address.port or 6379)) as wire:
        client = _connect(wire.port)
        yield Store(wire, valkey, Generations(lambda: client))
        client.close()


def made(at: int, clock_id: int = 0) -> Generation:
    return Generation(tid_of_micros(at, clock_id), POSTS)


def life_of(store: Store, generation: Generation) -> float:
    """Seconds that Redis will keep it."""
    return int(store.valkey.pttl(f"atsite:feeds:{FEED}:generation:{generation.id}")) / 1000


def test_a_published_generation_is_the_current_one_and_the_older_one_stays(store: Store) -> None:
    first, second = made(NOW), made(NOW + SECOND)
    store.generations.store(FEED, first, now=NOW)
    store.generations.store(FEED, second, now=NOW + SECOND)
    assert store.generations.current(FEED, now=NOW) == second
    assert store.generations.get(FEED, first.id, now=NOW) == first
    assert store.keys() == [
        f"atsite:feeds:{FEED}:current",
        f"atsite:feeds:{FEED}:generation:{first.id}",
        f"atsite:feeds:{FEED}:generation:{second.id}",
    ]


def test_a_generation_is_its_feeds_own(store: Store) -> None:
    store.generations.store(FEED, made(NOW), now=NOW)
    assert store.generations.current("did:plc:p/top-1h", now=NOW) is None
    assert store.generations.get("did:plc:p/top-1h", made(NOW).id, now=NOW) is None


def test_a_read_prolongs_the_life_in_redis_up_to_six_hours(store: Store) -> None:
    generation = made(NOW)
    store.generations.store(FEED, generation, now=NOW)
    whole = (IDLE + TOUCH) / SECOND
    assert whole - 10 < life_of(store, generation) <= whole
    store.valkey.pexpire(f"atsite:feeds:{FEED}:generation:{generation.id}", 5000)
    store.generations.get(FEED, generation.id, now=NOW)
    assert whole - 10 < life_of(store, generation) <= whole
    store.valkey.pexpire(f"atsite:feeds:{FEED}:generation:{generation.id}", 5000)
    store.generations.get(FEED, generation.id, now=NOW + TOUCH - 1)  # not told again so soon
    assert life_of(store, generation) <= 5
    store.process().get(FEED, generation.id, now=NOW + LIFE - 60 * SECOND)
    assert 50 < life_of(store, generation) <= 60
    assert store.process().get(FEED, generation.id, now=NOW + LIFE) is None


def test_what_redis_lost_it_gets_back_from_a_process_that_reads_it(store: Store) -> None:
    generation = made(NOW)
    store.generations.store(FEED, generation, now=NOW)
    store.generations.get(FEED, generation.id, now=NOW)
    store.valkey.flushdb()
    assert store.process().get(FEED, generation.id, now=NOW) is None
    store.generations.get(FEED, generation.id, now=NOW + TOUCH)
    assert store.process().get(FEED, generation.id, now=NOW + TOUCH) == generation


def test_what_redis_could_not_be_told_is_told_again_with_the_next_read(store: Store) -> None:
    generation = made(NOW)
    store.generations.store(FEED, generation, now=NOW)
    store.generations.get(FEED, generation.id, now=NOW)
    store.wire.cut()
    assert store.generations.get(FEED, generation.id, now=NOW + TOUCH) == generation
    store.wire.mend()
    store.valkey.flushdb()

    def is_told() -> bool:  # not in the pause after the failure
        store.generations.get(FEED, generation.id, now=NOW + TOUCH + 1)
        return store.valkey.exists(f"atsite:feeds:{FEED}:generation:{generation.id}") == 1

    until(is_told, seconds=20)


@pytest.mark.parametrize("harm", ["cut", "hang"])
def test_with_redis_away_a_process_serves_its_copies_and_comes_back_by_itself(store: Store, harm: str) -> None:
    older, newer = made(NOW), made(NOW + SECOND)
    for generation in (older, newer):
        store.generations.store(FEED, generation, now=NOW)
        assert store.generations.current(FEED, now=NOW) == generation
    unread = made(NOW + 2 * SECOND)
    store.generations.store(FEED, unread, now=NOW)
    getattr(store.wire, harm)()
    assert store.generations.current(FEED, now=NOW) == newer
    assert store.generations.get(FEED, older.id, now=NOW) == older
    with pytest.raises(FeedUnavailable):
        store.generations.get(FEED, unread.id, now=NOW)
    assert store.generations.current("did:plc:p/top-1h", now=NOW) is None
    store.wire.mend()
    fresh = store.process()
    assert fresh.current(FEED, now=NOW) == unread


def test_with_only_the_current_ranking_unreadable_a_process_serves_its_newest_copy(store: Store) -> None:
    copied = made(NOW)
    store.generations.store(FEED, copied, now=NOW)
    assert store.generations.current(FEED, now=NOW) == copied
    unreadable = made(NOW + SECOND)
    store.valkey.set(f"atsite:feeds:{FEED}:current", unreadable.id)
    store.valkey.rpush(f"atsite:feeds:{FEED}:generation:{unreadable.id}", b"a list")
    assert store.generations.current(FEED, now=NOW) == copied


def test_a_broken_value_counts_as_lost(store: Store) -> None:
    generation = made(NOW)
    store.generations.store(FEED, generation, now=NOW)
    store.valkey.set(f"atsite:feeds:{FEED}:generation:{generation.id}", b"junk")
    assert store.generations.current(FEED, now=NOW) is None
    store.valkey.set(f"atsite:feeds:{FEED}:current", b"\xff no tid")
    assert store.generations.current(FEED, now=NOW) is None
    assert store.generations.newest(FEED, now=NOW) is None
