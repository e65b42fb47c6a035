"""What `up` shows: sentences, and below them one line of progress that replaces itself."""

from __future__ import annotations

import shutil
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import TextIOBase

#: Seconds between progress lines where the output is a file or a pipe.
PLAIN_SECONDS = 10.0
ERASE_LINE = "\r\x1b[2K"


class Terminal:
    """Writes from any thread: the stores' watchers report from their own."""

    def __init__(self, output: TextIOBase, clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self._live = output.isatty()
        self._lock = threading.Lock()
        self._line = ""
        self._last = float("-inf")

    def say(self, text: str) -> None:
        """Write `text` as lines of their own, above the progress."""
        with self._lock:
            self._write(f"{ERASE_LINE}{text}\n{self._line}" if self._line else f"{text}\n")

    def progress(self, line: str) -> None:
        """Show `line` in place of the last one; without a terminal, at most every ten seconds as a plain line."""
        with self._lock:
            if self._live:
                self._line = line[: shutil.get_terminal_size().columns - 1]
                self._write(ERASE_LINE + self._line)
            elif self._clock() - self._last >= PLAIN_SECONDS:
                self._last = self._clock()
                self._write(f"{line}\n")

    def end_progress(self) -> None:
        """Leave the last progress line where it is; later output begins below it."""
        with self._lock:
            if self._line:
                self._write("\n")
            self._line = ""

    def _write(self, text: str) -> None:
        self._output.write(text)
        self._output.flush()
