"""The command line that serves a service."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from atsite.core.config import Service

#: A worker that is still answering this long after it was asked to stop is killed, so that a stop takes seconds.
STOP_SECONDS = 5
#: On SIGHUP each worker is replaced: the old one stops this long after the new one was started, which loads meanwhile.
RELOAD_SECONDS = 10
#: A request whose head is not whole by then ends its connection.
HEAD_SECONDS = 10


def granian(service: Service, *, host: str, port: int, workers: int = 1) -> tuple[str, ...]:
    """The command line that serves `service`; it expects ATSITE_SERVICE to say the same.

    No access log: a request line holds search terms.
    """
    return (
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--http", "1", "--working-dir", str(BASE_DIR)),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--http1-header-read-timeout", str(HEAD_SECONDS * 1000)),
        *("--no-access-log", "--log-level", "warning", "--workers-kill-timeout", str(STOP_SECONDS)),
        *("--respawn-interval", str(RELOAD_SECONDS)),
        # One that dies takes the others with it, unless it is replaced; a single one is left to its supervisor.
        *(("--respawn-failed-workers",) if workers > 1 else ()),
        "--ws" if service in ("admin", "search") else "--no-ws",  # the dashboard, and the page of clean-ups
        "atsite.asgi:application",
    )
