"""Celery tasks of the feeds."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from atsite.core.clock import now_us
from feeds import backtests
from feeds.ranking import tails
from feeds.ranking.generations import Generations
from feeds.ranking.refresh import refresh_due
from feeds.serving.registry import ranked_feeds, registry, tailed_feeds
from feeds.usage import counting, queries


@shared_task(name="feeds.refresh_feeds", ignore_result=True)
def refresh_feeds(force: bool = False) -> None:
    """Refresh the ranked feeds that are due. Runs every minute."""
    refresh_due(ranked_feeds(registry()), Generations(), now=now_us(), force=force)


@shared_task(name="feeds.renew_tails", ignore_result=True)
def renew_tails() -> None:
    """Bring the newest posts of feeds made of a search up to date. Runs every 15 seconds."""
    tails.renew(tailed_feeds(registry()), now=now_us)


@shared_task(name="feeds.run_backtests", ignore_result=True)
def run_backtests() -> None:
    """Count the posts of feeds whose backtest was asked for. Runs every minute, and when one is asked for."""
    backtests.run_due()


@shared_task(name="feeds.write_usage", ignore_result=True)
def write_usage() -> None:
    """Copy the usage counts from Redis to ClickHouse. Writing the same counts twice changes nothing."""
    queries.store_usage(counting.counted(now=timezone.now()))
