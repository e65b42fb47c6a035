"""Periodic work of a service in a background thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

_begun: list[Every] = []


def finish() -> None:
    """Do all started work once more before the process ends. (Workers of granian do not run atexit functions.)"""
    for work in _begun:
        work.once()


class Every:
    """Calls `work` every `seconds` after the first `start`, and once more when the process ends (`finish`).

    `work` must handle expected errors itself; others are logged, and the thread continues.
    """

    def __init__(self, seconds: float, work: Callable[[], object], *, name: str) -> None:
        self._seconds = seconds
        self._work = work
        self._name = name
        self._started = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread, unless it runs already. Cheap enough to call for every request."""
        if self._started:
            return
        with self._lock:
            if not self._started:
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
                _begun.append(self)
                self._started = True

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(self._seconds)
            self.once()

    def once(self) -> None:
        """Call `work` now. Never raises."""
        try:
            self._work()
        except Exception:
            log.exception("background.failed", work=self._name)
