"""Celery tasks of clean-ups."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final

from celery import shared_task
from django.utils import timezone

from atsite.core.kv.lock import single_flight
from search.cleanup.engine import run, upkeep

#: Tasks that run clean-ups at the same time; downloads may be slow, and other tasks need the rest of the processes.
AT_ONCE: Final = 2
#: A task that was killed keeps its place this long; one that takes longer lets another one begin.
PLACE_SECONDS: Final = 15 * 60.0


@shared_task(name="search.cleanup.tasks.run_cleanups", ignore_result=True)
def run_cleanups() -> None:
    """Take the next step of each clean-up that is due, unless AT_ONCE tasks do so already."""
    with ExitStack() as places:
        if any(places.enter_context(single_flight(f"cleanups:{place}", PLACE_SECONDS)) for place in range(AT_ONCE)):
            run.run_due()


@shared_task(name="search.cleanup.tasks.keep_up", ignore_result=True)
def keep_up() -> None:
    """Expire plans, sessions and backups, and encrypt with the newest key."""
    upkeep.run(timezone.now())
