"""Tells the worker that there are new members, so that it asks for their signing keys at once."""

from __future__ import annotations

from typing import Final

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from atsite.core import kv
from atsite.core.kv import quick

log = structlog.get_logger(__name__)

TASK: Final = "labels.tasks.fetch_member_keys"
#: One message for all members of so many seconds; the task begins after them, and finds them by their rows.
TOGETHER_SECONDS: Final = 1
EXPIRES_SECONDS: Final = 60


def send() -> None:
    """Send the message, unless one is on its way. A lost one is made good within a minute: the task is due then."""
    try:
        first = quick.ask(
            lambda client: client.set(f"{kv.PREFIX}labels:key-request", b"", nx=True, px=TOGETHER_SECONDS * 1000)
        )
        if first:
            current_app.send_task(TASK, countdown=TOGETHER_SECONDS, expires=EXPIRES_SECONDS, retry=False)
    except (quick.RedisAway, OperationalError) as error:
        log.warning("labels.keys_not_requested", error=type(error).__name__)
