"""Work that a thread repeats while a block runs. Needs only the standard library, as the embedded stores do."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def repeated(
    seconds: float,
    work: Callable[[], object],
    *,
    name: str,
    at_end: Callable[[], object] = lambda: None,
    patience: float | None = None,
) -> Iterator[None]:
    """Call `work` every `seconds` while the block runs, and then `at_end`, all in one thread.

    The end of the block waits for a call that runs; not longer than `patience`, if that is given.
    """
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(seconds):
            work()
        at_end()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(patience)
