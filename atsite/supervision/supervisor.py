"""All processes of a site together."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from itertools import groupby
from typing import TYPE_CHECKING

from atsite.core.embedded import logs
from atsite.core.embedded.restarts import Restarts
from atsite.supervision.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from atsite.supervision.children import ProcessSpec

#: How long the processes of one stage may take to end by themselves; a final flush takes one or two seconds.
STOP_SECONDS = 10.0


class Supervisor(AbstractContextManager["Supervisor"]):
    """Keeps processes running until it is left (a context manager): then all are stopped, stage by stage.

    `say` gets a message about each end and restart. There is no thread: call `tend` a few times a second.
    """

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self._logs = logs
        self._say = say
        self._processes: list[Process] = []
        self._restarts: list[Restarts] = []

    def start(self, specs: Iterable[ProcessSpec]) -> None:
        """Start these processes in this order and keep them running."""
        for spec in specs:
            process = Process(spec, self._logs / f"{spec.name}.log")
            logs.start_anew(process.log)
            self._processes.append(process)
            self._restarts.append(Restarts(process, self._say))
            process.restart()

    def tend(self) -> None:
        """Notice processes that ended, and restart those that are due."""
        for restarts in self._restarts:
            restarts.tend()

    def pids(self) -> dict[str, int | None]:
        """The process id of each process by its name; None for one that waits for its restart."""
        return {process.name: process.pid for process in self._processes}

    def stop(self) -> None:
        """Stop all, lower stages first; returns when every process and its group is gone."""
        stages = groupby(sorted(self._processes, key=_stage), key=_stage)
        self._processes, self._restarts = [], []
        for _, members in stages:
            stage = list(members)
            for process in stage:
                process.ask_to_stop()
            deadline = time.monotonic() + STOP_SECONDS
            for process in stage:
                if not process.ends_by(deadline):
                    self._say(f"{process.name} did not stop in time and was killed.")
                process.kill()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _stage(process: Process) -> int:
    return process.spec.stage
