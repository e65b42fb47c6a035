"""One child of `up`: started, watched, started again with growing pauses, stopped."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from atsite.core.embedded import files
from atsite.core.embedded.child import Child as Tethered
from atsite.core.embedded.supervise import LONGEST_PAUSE, pause_before_restart
from atsite.core.errors import EXIT_NEEDS_YOU

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from atsite.supervision.children import Child

#: How many of its last lines a child that died is quoted with.
QUOTED_LINES = 8
#: A log that grew beyond this is cut; what was in it stays in NAME.log.1 until the next time.
LOG_BYTES = 20_000_000


class Process:
    """A child that is kept running. `say` gets a sentence when it dies and when it is started again.

    It has a process group of its own and ends with this process however that ends (atsite/core/embedded/tether.py); whatever
    it leaves of its group is killed before it starts again, so that its ports are free.
    """

    def __init__(self, child: Child, log: Path, say: Callable[[str], None]) -> None:
        self.child = child
        self.log = log
        self._say = say
        self._running: Tethered | None = None
        self._started = 0.0
        self._pause = 0.0
        #: Where in the log its own words begin.
        self._log_start = 0
        #: When to start it again; None while it runs.
        self._due: float | None = None

    @property
    def pid(self) -> int | None:
        """Its process id, which is its group's, too; None while it waits to be started again."""
        return self._running.process.pid if self._running else None

    def start(self) -> None:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log_start = files.size_of(self.log)
        self._running = Tethered.spawn(list(self.child.command), output=self.log, environment=self.child.environment)
        self._started, self._due = time.monotonic(), None

    def tend(self) -> None:
        """Look after it once: notice its death, start it again when that is due, keep its log short."""
        now = time.monotonic()
        if self._running is not None:
            code = self._running.process.poll()
            if code is None:
                shorten(self.log)
                return
            self._bury()
            pause = pause_before_restart(self._pause, now - self._started)
            self._pause = LONGEST_PAUSE if code == EXIT_NEEDS_YOU else pause
            self._due = now + self._pause
            self._say(
                f"{self.child.name} ended {ending(code)}; starting it again in {self._pause:.1f} s. {self.log} says:\n"
                + last_lines(self.log, start=self._log_start)
            )
        elif self._due is not None and now >= self._due:
            self.start()
            self._say(f"{self.child.name} was started again as process {self.pid}.")

    def ask_to_stop(self) -> None:
        """SIGTERM; it is not started again. Returns at once."""
        self._due = None
        if self._running is not None:
            self._running.process.terminate()

    def wait_for_end(self, deadline: float) -> None:
        """Return once it and its group are gone, killed where they still run at `deadline` (monotonic seconds)."""
        if self._running is None:
            return
        with suppress(TimeoutError):
            self._wait(deadline)
        self._bury()

    def _wait(self, deadline: float) -> None:
        assert self._running is not None
        while self._running.process.poll() is None:
            if time.monotonic() > deadline:
                self._say(f"{self.child.name} did not stop in time and was killed.")
                raise TimeoutError
            time.sleep(0.02)

    def _bury(self) -> None:
        """Kill what is left of its group and collect it."""
        assert self._running is not None
        running, self._running = self._running, None
        with suppress(ProcessLookupError, PermissionError):  # the second is macOS's word for a group of zombies
            os.killpg(running.process.pid, signal.SIGKILL)
        running.kill()


def ending(code: int) -> str:
    """How a process ended, from Popen's return code."""
    if code >= 0:
        return f"with exit code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"


def last_lines(log: Path, *, start: int = 0, count: int = QUOTED_LINES) -> str:
    """The last lines of a log, of what was written after byte `start`, indented for a message."""
    lines = files.tail(log, start=start, limit=4000).splitlines()
    return "\n".join(f"    | {line}" for line in lines[-count:]) or "    | (nothing)"


def start_anew(log: Path) -> None:
    """Begin a log of this run; the one of the last run stays beside it as NAME.log.1."""
    with suppress(FileNotFoundError):
        log.replace(log.with_name(log.name + ".1"))


def shorten(log: Path, limit: int = LOG_BYTES) -> None:
    """Move what a log holds to NAME.log.1 when it grew beyond `limit` bytes.

    By copying and cutting: the child has the file open (for appending) and goes on writing into it. What it writes
    between the two is lost.
    """
    try:
        if log.stat().st_size <= limit:
            return
        log.with_name(log.name + ".1").write_bytes(log.read_bytes())
        os.truncate(log, 0)
    except FileNotFoundError:
        return
