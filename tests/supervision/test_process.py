from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from atsite.core.config import BASE_DIR
from atsite.core.errors import EXIT_NEEDS_YOU
from atsite.supervision.children import ProcessSpec
from atsite.supervision.supervisor import Supervisor
from tests.core.embedded.probes import processes_naming
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PYTHON = (sys.executable, "-I", "-S", "-u", "-c")
#: Waits for its end; SIGTERM ends it.
SLEEPER = "import signal; print('here', flush=True); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); signal.pause()"
#: Writes its process id into the file `ends` when it is asked to end.
NOTES_ITS_END = """
import os, signal, sys
def end(*_):
    with open(sys.argv[1] + "/ends", "a") as file:
        file.write(f"{os.getpid()} ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("here", flush=True)
signal.pause()
"""
#: Leaves a process behind in its group and ends.
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}, 'left ' + sys.argv[1]])"


def spec(name: str, program: str, mark: object, stage: int = 0) -> ProcessSpec:
    """A small Python program; `mark` stands on its command line, so that the test finds it."""
    return ProcessSpec(name, (*PYTHON, program, str(mark)), {"GREETING": "hello"}, (), stage, wave=0)


def test_a_process_that_ends_is_started_again_and_its_last_words_are_told(tmp_path: Path) -> None:
    said: list[str] = []
    program = "import os; print(os.environ['GREETING'], flush=True); raise SystemExit(3)"
    with Supervisor(tmp_path, said.append) as supervisor:
        supervisor.start([spec("talker", program, tmp_path)])
        first = supervisor.pids()["talker"]

        def started_twice() -> bool:
            supervisor.tend()
            return len(said) >= 4

        until(started_twice)
    ends = [
        f"talker ended with exit code 3; restarting it in {pause} s. The end of {tmp_path / 'talker.log'}:\n    | hello"
        for pause in ("0.1", "0.2")
    ]
    assert said[0:3:2] == ends
    assert said[1].startswith("talker runs again as process ")
    assert said[1] != f"talker runs again as process {first}."


def test_a_process_that_a_restart_does_not_help_waits_as_long_as_any(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(tmp_path, said.append) as supervisor:
        supervisor.start([spec("broken", f"raise SystemExit({EXIT_NEEDS_YOU})", tmp_path)])

        def has_ended() -> bool:
            supervisor.tend()
            return bool(said)

        until(has_ended)
        assert said[0].startswith(f"broken ended with exit code {EXIT_NEEDS_YOU}; restarting it in 30.0 s.")


def test_what_an_ended_process_left_of_its_group_is_killed(tmp_path: Path) -> None:
    with Supervisor(tmp_path, print) as supervisor:
        supervisor.start([spec("parent", PARENT, tmp_path)])
        until(lambda: (tmp_path / "parent.log").read_text() == "here\n")
        assert len(processes_naming(f"left {tmp_path}")) == 1

        def gone() -> bool:
            supervisor.tend()
            return processes_naming(f"left {tmp_path}") == []

        until(gone)


def test_stopping_asks_stage_by_stage_and_kills_who_does_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atsite.supervision.supervisor.STOP_SECONDS", 0.5)
    said: list[str] = []
    late, stubborn = spec("late", NOTES_ITS_END, tmp_path, stage=2), spec("stubborn", STUBBORN, tmp_path, stage=1)
    with Supervisor(tmp_path, said.append) as supervisor:
        supervisor.start([late, stubborn, spec("early", NOTES_ITS_END, tmp_path)])
        until(lambda: [log.read_text() for log in tmp_path.glob("*.log")] == ["here\n"] * 3)
        names = {pid: name for name, pid in supervisor.pids().items()}
    ended = [names[int(pid)] for pid in (tmp_path / "ends").read_text().split()]
    assert (ended, said) == (["early", "late"], ["stubborn did not stop in time and was killed."])
    until(lambda: processes_naming(str(tmp_path)) == [])


def test_a_child_that_waits_to_be_started_again_is_not_started_by_a_stop(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, print)
    supervisor.start([spec("short", "pass", tmp_path)])

    def died() -> bool:
        supervisor.tend()
        return supervisor.pids() == {"short": None}

    until(died)
    supervisor.stop()
    supervisor.tend()
    assert supervisor.pids() == {}


SUPERVISING = """
import signal, sys
from pathlib import Path
from atsite.supervision.children import ProcessSpec
from atsite.supervision.supervisor import Supervisor
folder, program = sys.argv[1:]
supervisor = Supervisor(Path(folder), print)
supervisor.start(ProcessSpec(name, (sys.executable, "-c", program, folder), {}, (), 0, 0) for name in ("one", "two"))
print("started", flush=True)
signal.pause()
"""


def test_kill_9_of_the_supervisor_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISING, str(tmp_path), SLEEPER]
    with subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "started\n"
        until(lambda: [log.read_text() for log in tmp_path.glob("*.log")] == ["here\n"] * 2)
        supervisor.send_signal(signal.SIGKILL)
    until(lambda: processes_naming(str(tmp_path)) == [])


def test_the_log_of_the_last_run_stays_beside_the_new_one(tmp_path: Path) -> None:
    for word in ("first", "second"):
        with Supervisor(tmp_path, print) as supervisor:
            supervisor.start([spec("talker", f"print('{word}', flush=True); {SLEEPER}", tmp_path)])
            until(lambda: (tmp_path / "talker.log").read_text().endswith("here\n"))
    assert (tmp_path / "talker.log.1").read_text() == "first\nhere\n"
    assert (tmp_path / "talker.log").read_text() == "second\nhere\n"
