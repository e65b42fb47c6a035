"""The tether alone, with small programs in place of stores."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from atsite.embedded.child import TETHER, Child
from tests.embedded.probes import processes_naming, wait_until

if TYPE_CHECKING:
    from pathlib import Path

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)


def tethered(grace_seconds: str, *command: str) -> tuple[subprocess.Popen[str], int]:
    """The command on a tether, and the leash that holds it."""
    watch, leash = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(TETHER), str(watch), grace_seconds, *command],
        pass_fds=[watch],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    os.close(watch)
    return process, leash


def test_letting_go_of_the_leash_asks_the_program_to_end() -> None:
    process, leash = tethered("20", sys.executable, "-c", "print('up', flush=True); import time; time.sleep(600)")
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        os.close(leash)
        assert process.wait() == -signal.SIGTERM


def test_a_program_that_does_not_listen_is_killed() -> None:
    process, leash = tethered("0.1", sys.executable, "-c", STUBBORN)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        os.close(leash)
        assert process.wait() == -signal.SIGKILL


def test_the_watcher_ends_with_the_program(tmp_path: Path) -> None:
    process, leash = tethered("20", "/bin/sh", "-c", "exit 3", str(tmp_path))
    with process:
        assert process.wait() == 3
        wait_until(lambda: processes_naming(str(tmp_path)) == [])
    os.close(leash)


def test_a_signal_to_the_programs_group_leaves_the_watcher(tmp_path: Path) -> None:
    process, leash = tethered("0.1", sys.executable, "-c", STUBBORN, str(tmp_path))
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        os.killpg(process.pid, signal.SIGTERM)
        os.close(leash)
        assert process.wait() == -signal.SIGKILL


def test_what_a_child_prints_is_appended_to_its_output_file(tmp_path: Path) -> None:
    output = tmp_path / "output.log"
    for word in ("first", "second"):
        with (tmp_path / "lock").open("w") as lock:
            child = Child.spawn(["/bin/sh", "-c", f"echo {word}"], output=output, inherit=lock.fileno())
            child.process.wait()
            child.kill()
    assert output.read_text() == "first\nsecond\n"
