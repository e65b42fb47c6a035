"""Celery tasks of clean-ups."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from search.cleanup.engine import run, upkeep


@shared_task(name="search.cleanup.tasks.run_cleanups", ignore_result=True)
def run_cleanups() -> None:
    """Take the next step of each clean-up that is due."""
    run.run_due()


@shared_task(name="search.cleanup.tasks.keep_up", ignore_result=True)
def keep_up() -> None:
    """Expire plans, sessions and backups, and encrypt with the newest key."""
    upkeep.run(timezone.now())
