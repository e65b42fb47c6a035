"""Who shares an answer with whom."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from feeds.ranking.coalescing import Coalescer
from tests.waiting import until

DEADLINE_SECONDS = 60


@dataclass
class Store:
    """Something that changes, and answers only when it is let go on."""

    value: int = 0
    asked: int = 0
    go_on: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def answer(self) -> int:
        self.asked += 1
        value = self.value
        assert self.go_on.acquire(timeout=DEADLINE_SECONDS)
        return value


class Key:
    """Counts who looks it up: so many have come to the place where they are registered."""

    def __init__(self) -> None:
        self.looked_up = 0

    def __hash__(self) -> int:
        self.looked_up += 1
        return 7


def test_who_asks_alone_is_answered_anew_each_time_and_nothing_is_kept() -> None:
    store, shared = Store(), Coalescer[int]()
    store.go_on.release(2)
    answers = []
    for value in (1, 2):
        store.value = value
        answers.append(shared.ask("key", store.answer))
    assert answers == [1, 2]
    assert shared._questions == {}


def test_who_comes_while_an_answer_is_made_shares_the_next_one_which_knows_what_changed_before() -> None:
    store, shared, key = Store(), Coalescer[int](), Key()
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(shared.ask, key, store.answer)
        until(lambda: store.asked == 1)
        store.value = 1
        others = [threads.submit(shared.ask, key, store.answer) for _ in range(8)]
        until(lambda: key.looked_up == 9)
        store.go_on.release(2)
        assert first.result(DEADLINE_SECONDS) == 0
        assert [other.result(DEADLINE_SECONDS) for other in others] == [1] * 8
    assert store.asked == 2
    assert shared._questions == {}


def test_another_question_does_not_wait() -> None:
    slow, quick, shared = Store(), Store(value=2), Coalescer[int]()
    quick.go_on.release()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(shared.ask, "slow", slow.answer)
        until(lambda: slow.asked == 1)
        assert shared.ask("quick", quick.answer) == 2
        slow.go_on.release()
        assert waiting.result(DEADLINE_SECONDS) == 0


def test_an_error_is_everybody_s_who_shares_it_and_the_next_ask_anew() -> None:
    store, shared, key = Store(), Coalescer[int](), Key()

    def broken() -> int:
        store.answer()
        raise ValueError("away")

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(shared.ask, key, broken)]
        until(lambda: store.asked == 1)
        answers += [threads.submit(shared.ask, key, broken) for _ in range(3)]
        until(lambda: key.looked_up == 4)
        store.go_on.release(2)
        for answer in answers:
            with pytest.raises(ValueError, match="away"):
                answer.result(DEADLINE_SECONDS)
    store.go_on.release()
    assert shared.ask(key, store.answer) == 0
    assert shared._questions == {}
