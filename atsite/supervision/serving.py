"""The command line that serves a service."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from atsite.core.config import Service

#: A worker that is still answering this long after it was asked to stop is killed, so that a stop takes seconds.
STOP_SECONDS = 5


def granian(service: Service, *, host: str, port: int, workers: int = 1) -> tuple[str, ...]:
    """The command line that serves `service`; it expects ATSITE_SERVICE to say the same.

    No access log: a request line holds search terms.
    """
    return (
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--http", "1", "--working-dir", str(BASE_DIR)),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--no-access-log", "--log-level", "warning", "--workers-kill-timeout", str(STOP_SECONDS)),
        "--ws" if service == "admin" else "--no-ws",  # the dashboard
        "atsite.asgi:application",
    )
