"""Celery tasks of the search service."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from search.people import ranking
from search.stats import site_stats


@shared_task(name="search.tasks.refresh_stats", ignore_result=True)
def refresh_stats() -> None:
    """Count the numbers of /stats and /stats/period; once a day those of followers and first posts."""
    site_stats.refresh()


@shared_task(name="search.tasks.rank_people", ignore_result=True)
def rank_people() -> None:
    """Count followers for the search of people, and renew its most followed accounts."""
    ranking.rank_people(now=timezone.now())
