"""Asks the worker to run a periodic task at once, because a person waits for it."""

from __future__ import annotations

from typing import Final

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from atsite.core import kv
from atsite.core.kv import quick

log = structlog.get_logger(__name__)

#: One message covers all work of this period; the task starts after it, and finds the work by its rows.
TOGETHER_SECONDS: Final = 1
EXPIRES_SECONDS: Final = 60


def announce(task: str) -> None:
    """Send the message, unless one was just sent. If it is lost, beat starts the task at its next time."""
    try:
        first = quick.ask(
            lambda client: client.set(f"{kv.PREFIX}announced:{task}", b"", nx=True, px=TOGETHER_SECONDS * 1000)
        )
        if first:
            current_app.send_task(task, countdown=TOGETHER_SECONDS, expires=EXPIRES_SECONDS, retry=False)
    except (quick.RedisAway, OperationalError) as error:
        log.warning("task.not_announced", task=task, error=type(error).__name__)
