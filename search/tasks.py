"""Celery tasks of the search service."""

from __future__ import annotations

from celery import shared_task

from search.stats.site_stats import TOTALS


@shared_task(name="search.tasks.refresh_stats", ignore_result=True)
def refresh_stats() -> None:
    """Count the totals for /stats."""
    TOTALS.refresh()
