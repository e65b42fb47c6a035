"""Stops a run: after a signal or a time, within ten seconds even if something hangs.

1. The first SIGTERM or SIGINT asks for a stop. The stream's thread stops reading, the writer has service.FINAL_FLUSH to
   write what was read, then the lease and the threads are released.
2. If anything hangs, such as a stopped store or the resolver, the process ends at HARD_END. The checkpoint does not
   include anything unacknowledged, so the next run reads it again.
3. A second signal ends the process at once.

A Python signal handler runs in the main thread, between two steps of Python; during a call that hangs in C it never
runs. So a separate thread reads the numbers that the interpreter's C handler writes to a pipe (signal.set_wakeup_fd).
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.stream.service import Stop

#: Seconds from the first signal until the process ends in any case; its supervisor waits 10.
HARD_END: Final = 9.0
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
#: Written to the pipe instead of a signal number: the run is over without a signal.
_ENOUGH: Final = 0
JOIN_SECONDS: Final = 0.5


@contextmanager
def signals_ask(stop: Stop) -> Iterator[None]:
    """Handle the signals inside the block as this module describes. Only in the main thread.

    After a signal this continues until the process has ended, because exit handlers may hang as well.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    handlers = {number: signal.signal(number, _nothing) for number in SIGNALS}
    before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    thread = threading.Thread(target=_watch, args=(read, stop), name="indexer-signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.write(write, bytes([_ENOUGH]))
        thread.join(JOIN_SECONDS)
        if not thread.is_alive():
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            os.close(write)
            os.close(read)


def _nothing(number: int, frame: object) -> None:
    """Does nothing: the interpreter has already written the signal's number to the pipe."""


def _watch(read: int, stop: Stop) -> None:
    """Handle the signals that come through the pipe."""
    hard_end: float | None = None
    while True:
        ready, _, _ = select.select([read], [], [], hard_end and max(hard_end - time.monotonic(), 0))
        if not ready:
            _end_now(1, f"did not stop within {HARD_END:g} s and was ended; the checkpoint says what is stored")
        for number in os.read(read, 64):
            if number == _ENOUGH and hard_end is None:
                return
            if number not in SIGNALS:
                continue
            if hard_end is not None:
                _end_now(128 + number, "ended at once by a second signal; the checkpoint says what is stored")
            hard_end = time.monotonic() + HARD_END
            stop.ask()


def _end_now(code: int, why: str) -> NoReturn:
    os.write(2, f"indexer: {why}\n".encode())
    os._exit(code)
