from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from atsite.core.config import BASE_DIR
from atsite.core.errors import EXIT_NEEDS_YOU
from atsite.supervision.children import Child
from atsite.supervision.process import Process, ending, shorten
from atsite.supervision.supervisor import Supervisor
from tests.core.embedded.probes import processes_naming, wait_until

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = (sys.executable, "-I", "-S", "-u", "-c")
#: Waits for its end; SIGTERM ends it.
SLEEPER = "import time; print('here', flush=True); time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(600)"
)
#: Writes its process id into the file `ends` when it is asked to end.
NOTES_ITS_END = """
import os, signal, sys, time
def end(*_):
    with open(sys.argv[1] + "/ends", "a") as file:
        file.write(f"{os.getpid()} ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("here", flush=True)
time.sleep(600)
"""
#: Leaves a process behind in its group and ends.
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPER!r}, 'left ' + sys.argv[1]])"


def child(name: str, program: str, mark: object, stage: int = 0) -> Child:
    """A small Python program; `mark` stands on its command line, so that the test finds it."""
    return Child(name, (*PYTHON, program, str(mark)), {"GREETING": "hello"}, (), stage, wave=0)


def test_a_child_that_dies_is_started_again_and_its_last_words_are_told(tmp_path: Path) -> None:
    said: list[str] = []
    talker = child("talker", "import os; print(os.environ['GREETING']); raise SystemExit(3)", tmp_path)
    process = Process(talker, tmp_path / "log", said.append)
    process.start()
    first = process.pid

    def started_twice() -> bool:
        process.tend()
        return len(said) >= 4

    wait_until(started_twice)
    process.ask_to_stop()
    process.wait_for_end(time.monotonic() + 5)
    deaths = [
        f"talker ended with exit code 3; starting it again in {pause} s. {tmp_path / 'log'} says:\n    | hello"
        for pause in ("0.1", "0.2")
    ]
    assert said[0:3:2] == deaths
    assert said[1].startswith("talker was started again as process ")
    assert said[1] != f"talker was started again as process {first}."


def test_a_child_that_a_restart_does_not_help_waits_as_long_as_any(tmp_path: Path) -> None:
    said: list[str] = []
    broken = child("broken", f"raise SystemExit({EXIT_NEEDS_YOU})", tmp_path)
    process = Process(broken, tmp_path / "log", said.append)
    process.start()

    def has_ended() -> bool:
        process.tend()
        return bool(said)

    wait_until(has_ended)
    assert said[0].startswith(f"broken ended with exit code {EXIT_NEEDS_YOU}; starting it again in 30.0 s.")
    assert process.pid is None


def test_what_a_dead_child_left_of_its_group_is_killed(tmp_path: Path) -> None:
    process = Process(child("parent", PARENT, tmp_path), tmp_path / "log", print)
    process.start()
    wait_until(lambda: (tmp_path / "log").read_text() == "here\n")
    assert len(processes_naming(f"left {tmp_path}")) == 1

    def gone() -> bool:
        process.tend()
        return processes_naming(f"left {tmp_path}") == []

    wait_until(gone)
    process.ask_to_stop()
    process.wait_for_end(time.monotonic() + 5)


def test_stopping_asks_stage_by_stage_and_kills_who_does_not_listen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atsite.supervision.supervisor.STOP_SECONDS", 0.5)
    said: list[str] = []
    late, stubborn = child("late", NOTES_ITS_END, tmp_path, stage=2), child("stubborn", STUBBORN, tmp_path, stage=1)
    with Supervisor(tmp_path, said.append) as supervisor:
        supervisor.start([late, stubborn, child("early", NOTES_ITS_END, tmp_path)])
        wait_until(lambda: [log.read_text() for log in tmp_path.glob("*.log")] == ["here\n"] * 3)
        names = {pid: name for name, pid in supervisor.pids().items()}
    ended = [names[int(pid)] for pid in (tmp_path / "ends").read_text().split()]
    assert (ended, said) == (["early", "late"], ["stubborn did not stop in time and was killed."])
    wait_until(lambda: processes_naming(str(tmp_path)) == [])


def test_a_child_that_waits_to_be_started_again_is_not_started_by_a_stop(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path, print)
    supervisor.start([child("short", "pass", tmp_path)])

    def died() -> bool:
        supervisor.tend()
        return supervisor.pids() == {"short": None}

    wait_until(died)
    supervisor.stop()
    supervisor.tend()
    assert supervisor.pids() == {}


SUPERVISING = """
import sys, time
from pathlib import Path
from atsite.supervision.children import Child
from atsite.supervision.supervisor import Supervisor
folder, program = sys.argv[1:]
supervisor = Supervisor(Path(folder), print)
supervisor.start(Child(name, (sys.executable, "-c", program, folder), {}, (), 0, 0) for name in ("one", "two"))
print("started", flush=True)
time.sleep(600)
"""


def test_kill_9_of_the_supervisor_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISING, str(tmp_path), SLEEPER]
    with subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "started\n"
        wait_until(lambda: [log.read_text() for log in tmp_path.glob("*.log")] == ["here\n"] * 2)
        supervisor.send_signal(signal.SIGKILL)
    wait_until(lambda: processes_naming(str(tmp_path)) == [])


def test_the_log_of_the_last_run_stays_beside_the_new_one(tmp_path: Path) -> None:
    for word in ("first", "second"):
        with Supervisor(tmp_path, print) as supervisor:
            supervisor.start([child("talker", f"print('{word}', flush=True); {SLEEPER}", tmp_path)])
            wait_until(lambda: (tmp_path / "talker.log").read_text().endswith("here\n"))
    assert (tmp_path / "talker.log.1").read_text() == "first\nhere\n"
    assert (tmp_path / "talker.log").read_text() == "second\nhere\n"


def test_a_log_that_grew_too_long_is_cut_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 100)
        shorten(log, limit=100)
        assert log.read_bytes() == b"a" * 100
        writer.write(b"b")
        shorten(log, limit=100)
        writer.write(b"c")
    assert (log.read_bytes(), (tmp_path / "x.log.1").read_bytes()) == (b"c", b"a" * 100 + b"b")


@pytest.mark.parametrize(("code", "text"), [(0, "with exit code 0"), (2, "with exit code 2"), (-9, "by SIGKILL")])
def test_how_a_process_ended_is_said_in_words(code: int, text: str) -> None:
    assert ending(code) == text
