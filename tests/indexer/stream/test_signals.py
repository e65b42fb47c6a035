"""What signals do to a process, whether it stops by itself or hangs (the whole indexer: test_stop.py)."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from atsite.core.config import BASE_DIR
from indexer.stream.stopping import SIGNALS, signals_ask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.stream.service import Stop

CODE = """
import sys, threading
from indexer.stream import stopping

class Stop:
    asked = threading.Event()
    def ask(self):
        print("asked", flush=True)
        self.asked.set()

hard_end, hangs = sys.argv[1:]
stopping.HARD_END = float(hard_end)
with stopping.signals_ask(Stop()):
    print("ready", flush=True)
    Stop.asked.wait()
    if hangs == "hangs":
        threading.Event().wait()
print("ended", flush=True)
"""


@pytest.mark.parametrize(
    ("hard_end", "does", "signals", "end"),
    [
        (60, "ends", [signal.SIGTERM], (0, ["ended"], "")),
        (60, "ends", [signal.SIGINT], (0, ["ended"], "")),
        (0.1, "hangs", [signal.SIGTERM], (1, [], "indexer: did not stop within 0.1 s and was ended")),
        (60, "hangs", [signal.SIGTERM, signal.SIGTERM], (143, [], "indexer: ended at once by a second signal")),
        (60, "hangs", [signal.SIGTERM, signal.SIGINT], (130, [], "indexer: ended at once by a second signal")),
    ],
)
def test_a_signal_asks_to_stop_and_ends_a_process_that_hangs(
    hard_end: float, does: str, signals: Sequence[signal.Signals], end: tuple[int, list[str], str]
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(hard_end), does],
        cwd=BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    words = []
    for number in signals:
        words.append(process.stdout.readline().strip())
        process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert [*words, *output.split()] == ["ready", "asked", *end[1]]
    assert (process.returncode, errors.partition(";")[0].strip()) == (end[0], end[2])


def test_after_the_run_signals_do_what_they_did_before_and_nothing_stays_open() -> None:
    def state() -> tuple[list[object], int]:
        return [signal.getsignal(number) for number in SIGNALS], len(list(Path("/dev/fd").iterdir()))

    before = state()
    with signals_ask(cast("Stop", None)):
        assert state() != before
    assert state() == before


def test_what_handled_signals_before_handles_them_again_at_the_end() -> None:
    mine, ours = socket.socketpair()
    with mine, ours:
        ours.setblocking(False)
        before = signal.set_wakeup_fd(ours.fileno())
        handlers = [signal.getsignal(number) for number in SIGNALS]
        try:
            with signals_ask(cast("Stop", None)):
                during = [signal.getsignal(number) for number in SIGNALS]
            assert [signal.getsignal(number) for number in SIGNALS] == handlers
            assert not set(during) & set(handlers)
        finally:
            restored = signal.set_wakeup_fd(before)
        assert restored == ours.fileno()
