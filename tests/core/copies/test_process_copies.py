"""Copies inside a process follow the counter, and make do without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError

from atsite.core.clock import now_us
from atsite.core.copies.errors import Undecidable
from atsite.core.copies.process_copies import (
    COUNTER_SECONDS,
    KEY,
    LIFE_SECONDS,
    RELOAD_SECONDS,
    LocalCopy,
    raise_counter,
)
from tests.away import redis_away

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.django_db(transaction=True)


class Store:
    """Counts how often it was read; may be away. `now` is the copy's clock."""

    def __init__(self) -> None:
        self.reads = 0
        self.away = False
        self.now = 0.0
        self.copy = LocalCopy("tests", self.load, clock=lambda: self.now)

    def load(self) -> int:
        if self.away:
            raise DatabaseError
        self.reads += 1
        return self.reads

    def after(self, seconds: float) -> int:
        self.now += seconds
        return self.copy.get()


@pytest.fixture
def store(valkey: redis.Redis) -> Store:
    return Store()


def test_it_is_read_once_while_nothing_changes(store: Store) -> None:
    assert [store.after(COUNTER_SECONDS) for _ in range(5)] == [1] * 5


def test_a_change_is_seen_at_the_next_look_at_the_counter(store: Store) -> None:
    assert store.after(0) == 1
    raise_counter()
    assert store.after(COUNTER_SECONDS / 2) == 1
    assert store.after(COUNTER_SECONDS / 2) == 2
    assert store.after(COUNTER_SECONDS) == 2


def test_every_change_moves_the_counter_also_after_redis_came_back_empty(store: Store, valkey: redis.Redis) -> None:
    assert store.after(0) == 1
    raise_counter()
    assert store.after(COUNTER_SECONDS) == 2
    valkey.flushdb()
    raise_counter()
    assert store.after(COUNTER_SECONDS) == 3
    raise_counter()
    raise_counter()
    assert store.after(COUNTER_SECONDS) == 4


def test_the_counter_only_grows_even_if_the_clock_of_redis_goes_back(store: Store, valkey: redis.Redis) -> None:
    an_hour_ahead = now_us() + 3_600_000_000
    valkey.set(KEY, an_hour_ahead)
    assert store.after(0) == 1
    raise_counter()
    assert valkey.get(KEY) == str(an_hour_ahead + 1).encode()
    assert store.after(COUNTER_SECONDS) == 2


def test_a_change_that_commits_while_loading_is_not_missed(store: Store) -> None:
    load = store.load

    def changes_meanwhile() -> int:
        value = load()
        if value == 1:
            raise_counter()
        return value

    store.copy = LocalCopy("tests", changes_meanwhile, clock=lambda: store.now)
    assert store.after(0) == 1
    assert store.after(COUNTER_SECONDS) == 2
    assert store.after(COUNTER_SECONDS) == 2


def test_a_change_whose_counter_could_not_be_raised_is_seen_within_the_life_of_a_copy(store: Store) -> None:
    assert store.after(0) == 1
    assert store.after(LIFE_SECONDS) == 2


def test_with_redis_away_the_store_is_read_every_second(store: Store) -> None:
    with redis_away():
        assert not raise_counter()
        assert [store.after(RELOAD_SECONDS / 2) for _ in range(4)] == [1, 1, 2, 2]


def test_with_the_store_away_the_last_known_value_stays(store: Store) -> None:
    assert store.after(0) == 1
    store.away = True
    raise_counter()
    assert store.after(COUNTER_SECONDS) == 1
    store.away = False
    assert store.after(COUNTER_SECONDS) == 2


def test_with_the_store_away_from_the_beginning_there_is_no_value(store: Store) -> None:
    store.away = True
    with pytest.raises(Undecidable):
        store.copy.get()


def test_a_dropped_value_is_loaded_again(store: Store) -> None:
    assert store.after(0) == 1
    store.copy.drop()
    assert store.after(0) == 2
