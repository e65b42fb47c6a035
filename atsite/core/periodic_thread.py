"""Work that a process of the feed generator does beside its requests, in a thread of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger(__name__)

_begun: list[Every] = []


def finish() -> None:
    """Do all that has begun once more: the process is about to end. (A worker of granian runs no atexit functions.)"""
    for work in _begun:
        work.once()


class Every:
    """Calls `work` each `seconds` from the first `start` on, and once more when the process ends (`finish`).

    `work` says itself what went wrong as it expects; what it raises all the same is logged, and the thread goes on.
    """

    def __init__(self, seconds: float, work: Callable[[], object], *, name: str) -> None:
        self._seconds = seconds
        self._work = work
        self._name = name
        self._started = False
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin, where it has not begun yet. Cheap: it may be called for every request."""
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
        """Call `work` now. Raises nothing."""
        try:
            self._work()
        except Exception:
            log.exception("background.failed", work=self._name)
