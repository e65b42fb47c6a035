"""The tether alone, with small programs in place of stores."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from atsite.core.embedded.child import TETHER, Child
from tests.core.embedded.probes import DEADLINE_SECONDS, processes_naming
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

ENDS_AT_ONCE = "print('up', flush=True); raise SystemExit(3)"
WAITS = "import signal; print('up', flush=True); signal.pause()"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"


class Tethered:
    """A running Python program on a tether; killed at the end of the `with` in any case."""

    def __init__(self, program: str, *arguments: str, grace_seconds: float = 20.0) -> None:
        watch, self._leash = os.pipe()
        tether = [sys.executable, "-I", "-S", str(TETHER), str(watch), str(grace_seconds)]
        self.process = subprocess.Popen(
            [*tether, sys.executable, "-c", program, *arguments],
            pass_fds=[watch],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        os.close(watch)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "up\n"

    def let_go(self) -> None:
        """What the kernel does when the supervisor ends."""
        if self._leash >= 0:
            os.close(self._leash)
            self._leash = -1

    def exit_code(self) -> int:
        return self.process.wait(DEADLINE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.let_go()


def test_letting_go_of_the_leash_asks_the_program_to_end() -> None:
    with Tethered(WAITS) as program:
        program.let_go()
        assert program.exit_code() == -signal.SIGTERM


def test_a_program_that_does_not_listen_is_killed() -> None:
    with Tethered(IGNORES_SIGTERM, grace_seconds=0.1) as program:
        program.let_go()
        assert program.exit_code() == -signal.SIGKILL


def test_the_watcher_ends_with_the_program(tmp_path: Path) -> None:
    with Tethered(ENDS_AT_ONCE, str(tmp_path)) as program:
        assert program.exit_code() == 3
        until(lambda: processes_naming(str(tmp_path)) == [])


def test_a_signal_to_the_programs_group_leaves_the_watcher() -> None:
    with Tethered(IGNORES_SIGTERM, grace_seconds=0.1) as program:
        os.killpg(program.process.pid, signal.SIGTERM)
        program.let_go()
        assert program.exit_code() == -signal.SIGKILL


def test_what_a_child_prints_is_appended_to_its_output_file(tmp_path: Path) -> None:
    output = tmp_path / "output.log"
    for word in ("first", "second"):
        with (tmp_path / "lock").open("w") as lock:
            child = Child.spawn(["/bin/sh", "-c", f"echo {word}"], output=output, inherit=lock.fileno())
            child.process.wait(DEADLINE_SECONDS)
            child.kill()
    assert output.read_text() == "first\nsecond\n"
