"""All children of a site together."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING, Self

from atsite.supervision.process import Process, start_anew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from atsite.supervision.children import Child

#: How long the children of one stage may take to end by themselves: a final flush is done in one or two seconds.
STOP_SECONDS = 10.0


class Supervisor:
    """Keeps children running until it is left (a context manager): then all are stopped, stage by stage.

    `say` gets a sentence for whatever happens to one of them. Everything happens in the calls, there is no thread: call
    `tend` a few times a second.
    """

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self._logs = logs
        self._say = say
        self._processes: list[Process] = []

    def start(self, children: Iterable[Child]) -> None:
        """Start `children` in this order and keep them running."""
        for child in children:
            log = self._logs / f"{child.name}.log"
            start_anew(log)
            process = Process(child, log, self._say)
            self._processes.append(process)
            process.start()

    def tend(self) -> None:
        """Notice who died, start again who is due."""
        for process in self._processes:
            process.tend()

    def pids(self) -> dict[str, int | None]:
        """The process id of each child by its name; None for one that waits to be started again."""
        return {process.child.name: process.pid for process in self._processes}

    def stop(self) -> None:
        """Stop all, lower stages first; returns when every process is gone."""
        stages = groupby(sorted(self._processes, key=_stage), key=_stage)
        for _, members in stages:
            stage = list(members)
            for process in stage:
                process.ask_to_stop()
            deadline = time.monotonic() + STOP_SECONDS
            for process in stage:
                process.wait_for_end(deadline)
        self._processes = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _stage(process: Process) -> int:
    return process.child.stage
