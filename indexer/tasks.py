"""What Celery runs for the indexer's tables; each task is one line, the work and its reasons are where it calls."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from atsite.config import config
from indexer import purge, refusals, retention, stats
from indexer.backfill import work
from indexer.fill.run import fill


@shared_task(ignore_result=True)
def rewrite_daily_stats() -> None:
    """Compute the days anew that the last week's arrivals touched."""
    stats.rewrite_daily_stats(now=timezone.now())


@shared_task(ignore_result=True)
def purge_deleted_accounts() -> None:
    """Delete the rows of accounts that are gone and of repos that began anew."""
    purge.purge_dead(now=timezone.now())


@shared_task(ignore_result=True)
def settle_refusals() -> None:
    """End what is indexed of actors whom somebody refused."""
    refusals.settle(now=timezone.now())


@shared_task(ignore_result=True)
def keep_raw_events() -> None:
    """Keep raw events for as long as KEEP_RAW_DAYS says."""
    retention.keep(config.keep_raw_days)


@shared_task(ignore_result=True)
def fill_actors() -> None:
    """Ask for names and counts of the actors whom the site shows."""
    fill()


@shared_task(ignore_result=True)
def run_backfills() -> None:
    """Fetch the records of actors whose backfill is due from their PDS."""
    work.run_due()
