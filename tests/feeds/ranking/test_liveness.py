"""What a process remembers of posts, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from feeds.ranking.feed import PostKey
from feeds.ranking.liveness import SECONDS, Liveness
from feeds.ranking.store_timeouts import StoreAway

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Set

A, B = PostKey("3kaaaaaaaaaa2", "did:plc:a"), PostKey("3kaaaaaaaaaa2", "did:plc:b")


@dataclass
class Index:
    """Some posts, who asked for which, and the time."""

    alive: set[PostKey] = field(default_factory=lambda: {A, B})
    asked: list[list[PostKey]] = field(default_factory=list)
    now: float = 100.0
    away: bool = False

    def look_up(self, posts: Collection[PostKey]) -> Set[PostKey]:
        self.asked.append(list(posts))
        return self.alive.intersection(posts)

    def call(self, function: Callable[[], Set[PostKey]]) -> Set[PostKey]:
        if self.away:
            raise StoreAway("away")
        return function()

    def liveness(self, seconds: float = SECONDS) -> Liveness:
        return Liveness(self.look_up, seconds=seconds, clock=lambda: self.now)


def test_a_post_is_asked_for_once_in_a_moment_whether_it_lives_or_not() -> None:
    index = Index(alive={A})
    liveness = index.liveness()
    assert [liveness.living([A, B], index.call) for _ in range(3)] == [{A}] * 3
    assert index.asked == [[A, B]]


def test_a_deleted_post_is_gone_within_the_second() -> None:
    index = Index()
    liveness = index.liveness()
    assert liveness.living([A, B], index.call) == {A, B}
    index.alive = {B}
    index.now += SECONDS
    assert liveness.living([A, B], index.call) == {B}


def test_past_half_of_it_one_asks_again_and_the_others_go_on() -> None:
    index = Index()
    liveness = index.liveness()
    liveness.living([A], index.call)
    index.now += SECONDS / 2
    index.alive = set()

    def others_read_meanwhile(function: Callable[[], Set[PostKey]]) -> Set[PostKey]:
        assert liveness.living([A], index.call) == {A}
        return function()

    assert liveness.living([A], others_read_meanwhile) == frozenset()
    assert liveness.living([A], index.call) == frozenset()
    assert index.asked == [[A], [A]]


def test_nothing_is_remembered_of_a_store_that_is_away() -> None:
    index = Index(away=True)
    liveness = index.liveness()
    with pytest.raises(StoreAway):
        liveness.living([A], index.call)
    index.away = False
    assert liveness.living([A], index.call) == {A}


def test_without_a_memory_each_is_asked_for_each_time() -> None:
    index = Index()
    liveness = index.liveness(0)
    assert [liveness.living([A], index.call) for _ in range(2)] == [{A}] * 2
    assert index.asked == [[A]] * 2
