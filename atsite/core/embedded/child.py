"""The process of a store, tethered to this one (see tether.py)."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from atsite.core.embedded import files

if TYPE_CHECKING:
    from collections.abc import Mapping

TETHER = Path(__file__).with_name("tether.py")
#: How long a store may take to end by itself before it is killed: a clean end of either takes under a second.
GRACE_SECONDS = 20.0


@dataclass(frozen=True)
class Child:
    """A running store. Whoever holds `leash` open keeps it alive."""

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

        `environment` is put on top of this process's own.

        It has a session of its own: Ctrl-C in a terminal is not for the stores, and ClickHouse's SYSTEM SHUTDOWN
        signals its whole process group.
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
                umask=0o077,
            )
        except OSError:
            os.close(leash)
            raise
        finally:
            os.close(watch)
            os.close(log)
        return cls(process, leash)

    def stop(self) -> int:
        """Ask it to end, wait until it has; its exit code (negative: the signal that ended it)."""
        self.process.terminate()
        try:
            return self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            os.close(self.leash)

    def kill(self) -> None:
        """End it at once, as kill -9 does, and collect it. Also right for one that has ended by itself."""
        self.process.kill()
        self.process.wait()
        os.close(self.leash)
