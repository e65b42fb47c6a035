"""Celery tasks of the admin."""

from __future__ import annotations

from celery import shared_task
from django.core.management import call_command


@shared_task(name="atsite.dashboard.tasks.clear_sessions", ignore_result=True)
def clear_sessions() -> None:
    """Delete sessions that have expired; Django leaves them in the database."""
    call_command("clearsessions")
