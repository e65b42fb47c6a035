"""The restart loop, with a process that is told when to end and whether it can be started."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from atsite.core.embedded import restarts
from atsite.core.embedded.restarts import Restarts, ending, pause_before_restart

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Told:
    """A process that runs until it is told otherwise."""

    log: Path
    name: str = "told"
    pid: int | None = 1
    is_running: bool = True
    refuses: list[Exception] = field(default_factory=list)

    def kill(self) -> int | None:
        self.is_running = False
        return 3

    def restart(self) -> None:
        if self.refuses:
            raise self.refuses.pop()
        self.is_running = True


class Clock:
    """Monotonic seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(restarts, "time", clock)
    return clock


def test_what_ended_is_started_again_after_its_pause_and_said(clock: Clock, tmp_path: Path) -> None:
    process, said = Told(tmp_path / "log"), list[str]()
    process.log.write_text("of the last run\n")
    loop = Restarts(process, said.append)
    loop.tend()
    assert said == []
    with process.log.open("a") as log:
        log.write("last words\n")
    process.is_running = False
    loop.tend()
    assert said == [
        f"told ended with exit code 3; restarting it in 0.1 s. The end of {tmp_path / 'log'}:\n    | last words"
    ]
    clock.now += 0.06
    loop.tend()
    assert len(said) == 1
    clock.now += 0.06
    loop.tend()
    assert process.is_running
    assert said[1:] == ["told runs again as process 1."]


def test_a_start_that_fails_is_tried_again_after_a_longer_pause_for_ever(clock: Clock, tmp_path: Path) -> None:
    process, said = Told(tmp_path / "log"), list[str]()
    process.refuses = [OSError("no memory") for _ in range(12)]
    loop = Restarts(process, said.append)
    process.is_running = False
    pauses = []
    while process.refuses:
        loop.tend()
        pauses.append(float(said[-1].partition(" s.")[0].rpartition(" ")[2]))
        clock.now += pauses[-1]
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0, 30.0, 30.0]
    assert said[1] == "told could not be restarted: no memory; the next attempt is in 0.2 s."
    loop.tend()
    loop.tend()
    assert process.is_running


def test_what_ran_for_a_minute_is_started_again_at_once(clock: Clock, tmp_path: Path) -> None:
    process, said = Told(tmp_path / "log"), list[str]()
    loop = Restarts(process, said.append)
    for ran_for in (1.0, 1.0, 59.0, 60.0):
        clock.now += ran_for
        process.is_running = False
        loop.tend()
        clock.now += 30.0
        loop.tend()
        assert process.is_running
    pauses = [sentence.partition(" s.")[0].rpartition(" ")[2] for sentence in said[::2]]
    assert pauses == ["0.1", "0.2", "0.4", "0.1"]


def test_pauses_grow_and_begin_again_after_a_healthy_run() -> None:
    pauses = [0.0]
    for _ in range(10):
        pauses.append(pause_before_restart(pauses[-1], ran_for=1.0))
    assert pauses[1:] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    assert pause_before_restart(30.0, ran_for=60.0) == 0.1


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "with exit code 0"),
        (2, "with exit code 2"),
        (-9, "by SIGKILL"),
        (-250, "by signal 250"),
        (None, "with an unknown exit code"),
    ],
)
def test_how_a_process_ended_is_said_in_words(code: int | None, text: str) -> None:
    assert ending(code) == text
