"""Asks the worker to fetch the signing keys of new members at once."""

from __future__ import annotations

from typing import Final

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from atsite.core import kv
from atsite.core.kv import quick

log = structlog.get_logger(__name__)

TASK: Final = "labels.tasks.fetch_member_keys"
#: One message covers the new members of this period; the task starts after it, and finds them by their rows.
TOGETHER_SECONDS: Final = 1
EXPIRES_SECONDS: Final = 60


def send() -> None:
    """Send the message, unless one was just sent. If it is lost, the task still runs within a minute."""
    try:
        first = quick.ask(
            lambda client: client.set(f"{kv.PREFIX}labels:key-request", b"", nx=True, px=TOGETHER_SECONDS * 1000)
        )
        if first:
            current_app.send_task(TASK, countdown=TOGETHER_SECONDS, expires=EXPIRES_SECONDS, retry=False)
    except (quick.RedisAway, OperationalError) as error:
        log.warning("labels.keys_not_requested", error=type(error).__name__)
