"""The log of the `up` process itself: a file beside those of its children, to keep log lines off the terminal."""

from __future__ import annotations

import logging
import os
import sys
import threading
from typing import TYPE_CHECKING

import structlog

from atsite.core import telemetry
from atsite.core.embedded import files, logs
from atsite.core.embedded.errors import explained

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger(__name__)


def keep_off_the_terminal(path: Path) -> None:
    """Send everything that this process's libraries log, warn about or leave uncaught to `path` from now on.

    Raises StoreFailed when `path` cannot be written.
    """
    with explained("The log of this command", path.parent):
        files.make_private_directory(path.parent)
        logs.shorten(path)
        stream = os.fdopen(files.append_private(path), "a", buffering=1)
    telemetry.configure_logs(as_json=False, stream=stream)
    logging.captureWarnings(True)
    threading.excepthook = _in_thread
    sys.unraisablehook = _unraisable


def _in_thread(failure: threading.ExceptHookArgs) -> None:
    log.error("thread.failed", exc_info=failure.exc_value)


def _unraisable(failure: sys.UnraisableHookArgs) -> None:
    """An exception of a destructor or of the garbage collector."""
    log.error("unraisable", at=repr(failure.object), exc_info=failure.exc_value)
