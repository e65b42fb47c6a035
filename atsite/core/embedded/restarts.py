"""Restarts processes that end, after pauses that grow while a process keeps ending."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Protocol

from atsite.core.embedded import files, logs
from atsite.core.errors import EXIT_NEEDS_YOU

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Seconds: the first restart is immediate, later ones ever rarer, without end.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
#: A process that ran this long is healthy: its next restart begins with the first pause.
HEALTHY_SECONDS = 60.0


class Restartable(Protocol):
    """A process of this one, such as a store or a service."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def log(self) -> Path:
        """The file that has its output."""

    @property
    def pid(self) -> int | None:
        """Its process id; None when there is none."""

    @property
    def is_running(self) -> bool:
        """Whether it lives."""

    def kill(self) -> int | None:
        """Kill it and the rest of its process group; returns its exit code, if known."""

    def restart(self) -> None:
        """Start it again after it ended; may raise anything."""


class Restarts:
    """Keeps `process` running; create it just before the first start.

    `say` gets a message when the process ends and when it runs again. There is no thread: call `tend` a few times a
    second.
    """

    def __init__(self, process: Restartable, say: Callable[[str], None]) -> None:
        self._process = process
        self._say = say
        self._pause = 0.0
        #: When to start it again (monotonic seconds); None while it runs.
        self._due: float | None = None
        self._started = time.monotonic()
        #: Where its own output begins in the log.
        self._log_start = files.size_of(process.log)

    def tend(self) -> None:
        """Notice its end, restart it when that is due, keep its log short."""
        now = time.monotonic()
        if self._due is not None:
            if now >= self._due:
                self._restart()
        elif self._process.is_running:
            logs.shorten(self._process.log)
        else:
            code, log = self._process.kill(), self._process.log
            self._wait(ran_for=now - self._started, longest=code == EXIT_NEEDS_YOU)
            self._say(
                f"{self._process.name} ended {ending(code)};"
                f" restarting it in {self._pause:.1f} s. The end of {log}:\n"
                + logs.last_lines(log, start=self._log_start)
            )

    def _restart(self) -> None:
        self._log_start = files.size_of(self._process.log)
        try:
            self._process.restart()
        except Exception as error:  # of any kind: the loop must go on to the next attempt
            self._wait(ran_for=0.0)
            self._say(
                f"{self._process.name} could not be restarted: {error}; the next attempt is in {self._pause:.1f} s."
            )
        else:
            self._due, self._started = None, time.monotonic()
            self._say(f"{self._process.name} runs again as process {self._process.pid}.")

    def _wait(self, *, ran_for: float, longest: bool = False) -> None:
        self._pause = LONGEST_PAUSE if longest else pause_before_restart(self._pause, ran_for)
        self._due = time.monotonic() + self._pause


def pause_before_restart(last_pause: float, ran_for: float) -> float:
    """Seconds to wait before a restart, when the last one waited `last_pause` (0: there was none) and ran `ran_for`."""
    if ran_for >= HEALTHY_SECONDS:
        return FIRST_PAUSE
    return min(max(last_pause * 2, FIRST_PAUSE), LONGEST_PAUSE)


def ending(code: int | None) -> str:
    """How a process ended, from Popen's return code; None if unknown."""
    if code is None:
        return "with an unknown exit code"
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
