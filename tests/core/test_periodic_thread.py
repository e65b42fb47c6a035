from __future__ import annotations

import threading
from functools import partial

import pytest

from atsite.core import periodic_thread
from atsite.core.periodic_thread import Every
from tests.waiting import until


@pytest.fixture(autouse=True)
def _nothing_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic_thread, "_begun", [])


def test_work_goes_on_after_an_error_and_one_thread_does_it_however_often_it_is_started() -> None:
    done: list[int] = []

    def work() -> None:
        done.append(threading.get_ident())
        if len(done) == 1:
            raise RuntimeError("once")

    every = Every(0.01, work, name="test-work")
    for _ in range(2):
        every.start()
    until(lambda: len(done) >= 3)
    every._work = lambda: None
    assert len(set(done)) == 1
    assert done[0] != threading.get_ident()


def test_what_was_started_is_done_once_more_at_the_end_and_nothing_else() -> None:
    done: list[str] = []
    started, idle = (Every(3600, partial(done.append, name), name=f"test-{name}") for name in ("a", "b"))
    started.start()
    started.start()
    periodic_thread.finish()
    assert (done, idle._started) == (["a"], False)
