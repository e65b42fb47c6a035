"""An indexer in a thread of this process, for tests that do things to it and its stream meanwhile."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from indexer.stream import service
from tests.indexer.conftest import PATIENCE, SMALL, configured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.stream.batch import Limits


@contextmanager
def running(
    url: str, *, from_cursor: int | None = 1, limits: Limits = SMALL, **changes: object
) -> Iterator[service.Stop]:
    """Inside, the indexer runs; at the end it is asked to stop, and what it raised is raised."""
    stop = service.Stop()
    raised: list[BaseException] = []

    def run() -> None:
        try:
            service.run(configured(url, **changes), service.Options(from_cursor=from_cursor, limits=limits), stop)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stop
    finally:
        stop.ask()
        thread.join(PATIENCE)
    assert not thread.is_alive()
    if raised:
        raise raised[0]
