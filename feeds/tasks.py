"""What the worker does for feeds."""

from __future__ import annotations

from celery import shared_task

from feeds.generations import Generations
from feeds.ranked import unix_micros
from feeds.refresh import refresh_due
from feeds.registry import ranked_feeds, registry


@shared_task(name="feeds.refresh_feeds", ignore_result=True)
def refresh_feeds(force: bool = False) -> None:
    """Refresh the ranked feeds that are due; each minute."""
    refresh_due(ranked_feeds(registry()), Generations(), now=unix_micros(), force=force)
