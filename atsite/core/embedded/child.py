"""A child process that ends with this one (see tether.py), and a base class for its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from atsite.core.embedded import files

if TYPE_CHECKING:
    from collections.abc import Mapping

TETHER = Path(__file__).with_name("tether.py")
#: How long a child may take to end by itself before it is killed: a clean end of a store takes under a second.
GRACE_SECONDS = 20.0


@dataclass(frozen=True)
class Child:
    """A running program with its own process group. It ends when the last holder of `leash` closes it."""

    process: subprocess.Popen[bytes]
    #: The write end of the tether's pipe; nothing is ever written to it.
    leash: int

    @classmethod
    def spawn(
        cls,
        command: list[str],
        *,
        output: Path,
        inherit: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Run `command` with its output appended to the file `output`; it also gets the open file `inherit`.

        `environment` is added to this process's own.

        It has its own session: Ctrl-C in a terminal does not reach it, and ClickHouse's SYSTEM SHUTDOWN, which signals
        its whole process group, does not reach this process.
        """
        log = files.append_private(output)
        watch, leash = os.pipe()
        tether = [sys.executable, "-I", "-S", str(TETHER), str(watch), str(GRACE_SECONDS)]
        try:
            process = subprocess.Popen(  # noqa: S603 - the command is this package's own
                [*tether, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(watch,) if inherit is None else (watch, inherit),
                env=os.environ | dict(environment or {}),
                start_new_session=True,
                umask=files.UMASK,
            )
        except OSError:
            os.close(leash)
            raise
        finally:
            os.close(watch)
            os.close(log)
        return cls(process, leash)

    def ends_by(self, deadline: float) -> bool:
        """Wait until it has ended; False when it still runs at `deadline` (monotonic seconds)."""
        try:
            self.process.wait(max(deadline - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> int:
        """Ask it to end, wait, and kill it if it does not. Returns its exit code (negative: the signal)."""
        self.process.terminate()
        self.ends_by(time.monotonic() + GRACE_SECONDS)
        return self.kill()

    def kill(self) -> int:
        """Kill it and the rest of its group with SIGKILL. Returns its exit code (negative: the signal).

        Call it once also for a child that has ended by itself.
        """
        with suppress(ProcessLookupError, PermissionError):  # macOS raises PermissionError for a group of zombies
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        code = self.process.wait()
        os.close(self.leash)
        return code


class OneChild:
    """Base of classes that run at most one child process; the subclass starts it."""

    _child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The id of its process; None when there is none."""
        return self._child.process.pid if self._child else None

    @property
    def exit_code(self) -> int | None:
        """How its process ended (negative: by that signal); None while it runs, or when there is none."""
        return self._child.process.poll() if self._child else None

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._child is not None and self._child.process.poll() is None

    def ask_to_stop(self) -> None:
        """Send SIGTERM, if it runs. Returns at once."""
        if self._child is not None:
            self._child.process.terminate()

    def ends_by(self, deadline: float) -> bool:
        """Wait until its process has ended; False when it still runs at `deadline` (monotonic seconds)."""
        return self._child is None or self._child.ends_by(deadline)

    def kill(self) -> int | None:
        """Kill it and the rest of its group with SIGKILL, and forget it. Returns its exit code, if it ran."""
        child, self._child = self._child, None
        return None if child is None else child.kill()
