"""What Celery runs for the search service; each task is one line."""

from __future__ import annotations

from celery import shared_task

from search.stats.site_stats import TOTALS


@shared_task(name="search.tasks.refresh_stats", ignore_result=True)
def refresh_stats() -> None:
    """Count the totals that /stats answers from."""
    TOTALS.refresh()
