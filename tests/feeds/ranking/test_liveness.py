"""What a process remembers of posts, and for how long."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Semaphore
from typing import TYPE_CHECKING

import pytest

from atsite.core.web.store_timeouts import StoreAway
from feeds.ranking.feed import PostKey
from feeds.ranking.liveness import SECONDS, Liveness
from tests.waiting import until

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
    broken: bool = False

    def look_up(self, posts: Collection[PostKey]) -> Set[PostKey]:
        self.asked.append(list(posts))
        if self.broken:
            raise ValueError("not a number")
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


def test_past_two_fifths_of_it_posts_are_looked_up_again_in_the_background_and_nobody_waits() -> None:
    index = Index()
    liveness = index.liveness()
    liveness.living([A, B], index.call)
    index.now += 0.2 - 0.01
    index.alive = {B}
    assert liveness.living([A, B], index.call) == {A, B}
    assert index.asked == [[A, B]]
    index.now += 0.01
    go_on = Event()

    def slowly(function: Callable[[], Set[PostKey]]) -> Set[PostKey]:
        assert go_on.wait(60)
        return function()

    assert liveness.living([A], slowly) == {A}
    # These are read while the first is looked up, so the next statement asks for them together, each once.
    for posts in ([B], [A, B], [B]):
        assert liveness.living(posts, slowly) == set(posts)
    go_on.set()
    until(lambda: liveness.living([A, B], slowly) == {B})
    assert index.asked == [[A, B], [A], [B]]
    # The answer counts from its question.
    index.now += 0.2 - 0.01
    assert liveness.living([A, B], index.call) == {B}
    assert len(index.asked) == 3


@pytest.mark.parametrize("fault", ["away", "broken"])
def test_a_renewal_that_fails_leaves_the_entry_to_its_end(fault: str) -> None:
    index = Index()
    liveness = index.liveness()
    liveness.living([A], index.call)
    index.now += 0.2
    setattr(index, fault, True)
    assert liveness.living([A], index.call) == {A}
    index.now += 0.3
    with pytest.raises((StoreAway, ValueError)):
        liveness.living([A], index.call)
    setattr(index, fault, False)
    index.alive = set()
    assert liveness.living([A], index.call) == frozenset()
    index.now += 0.2
    index.alive = {A}
    liveness.living([A], index.call)
    until(lambda: liveness.living([A], index.call) == {A})  # renewals go on


def test_a_renewal_asks_for_a_bounded_number_of_posts() -> None:
    index = Index()
    many = [PostKey(str(number), "did:plc:a") for number in range(5_001)]
    liveness = index.liveness()
    liveness.living(many, index.call)
    index.now += 0.2
    liveness.living(many, index.call)
    until(lambda: len(index.asked) == 3)
    assert [len(asked) for asked in index.asked] == [5_001, 5_000, 1]


def test_pages_that_come_while_others_are_looked_up_share_the_next_look_up() -> None:
    index, go_on = Index(), Event()
    liveness, others = index.liveness(), [PostKey(str(number), "did:plc:c") for number in range(8)]
    running = Semaphore(0)

    def slowly(function: Callable[[], Set[PostKey]]) -> Set[PostKey]:
        running.release()
        assert go_on.wait(60)
        return function()

    with ThreadPoolExecutor(10) as readers:
        first = []
        for post in (A, B):  # as many as run at a time
            first.append(readers.submit(liveness.living, [post], slowly))
            assert running.acquire(timeout=60)
        later = [readers.submit(liveness.living, [post, A], slowly) for post in others]
        until(lambda: liveness._next is not None and len(liveness._next.posts) == 9)
        go_on.set()
        assert [reader.result() for reader in first] == [{A}, {B}]
        assert [reader.result() for reader in later] == [{A}] * 8
    assert sorted(map(sorted, index.asked)) == sorted([[A], [B], sorted([*others, A])])


def test_readers_of_a_look_up_that_fails_are_all_told() -> None:
    index, go_on = Index(broken=True), Event()
    liveness, running = index.liveness(), Semaphore(0)

    def slowly(function: Callable[[], Set[PostKey]]) -> Set[PostKey]:
        running.release()
        assert go_on.wait(60)
        return function()

    with ThreadPoolExecutor(4) as readers:
        asked = []
        for _ in range(2):
            asked.append(readers.submit(liveness.living, [A], slowly))
            assert running.acquire(timeout=60)
        asked += [readers.submit(liveness.living, [B], slowly) for _ in range(2)]
        until(lambda: liveness._next is not None)
        go_on.set()
        assert [str(reader.exception()) for reader in asked] == ["not a number"] * 4
    index.broken = False
    assert liveness.living([A, B], index.call) == {A, B}


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
