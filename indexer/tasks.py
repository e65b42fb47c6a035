"""What Celery runs for the indexer's tables; each task is one line, the work and its reasons are where it calls."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from atsite.core.config import config
from indexer.backfill import jobs
from indexer.fill.run import fill
from indexer.index import do_not_index, missing_retractions, purge, rereading, retention, stats
from indexer.stream import retry_dead_letters as retrying

#: A ClickHouse that takes no rows for so long is away; the letters stay, and can be tried again.
TASK_WAIT_SECONDS = 60.0
#: A task that begins no other day after this; the next one, ten minutes later, goes on.
REREADING_BUDGET = timedelta(minutes=5)


@shared_task(name="indexer.tasks.rewrite_daily_stats", ignore_result=True)
def rewrite_daily_stats() -> None:
    """Compute the days again that the last week's arrivals touched."""
    stats.rewrite_daily_stats(now=timezone.now())


@shared_task(name="indexer.tasks.purge_deleted_accounts", ignore_result=True)
def purge_deleted_accounts() -> None:
    """Delete the rows of accounts that are gone and of repos that started over."""
    purge.purge_dead(now=timezone.now())


@shared_task(name="indexer.tasks.write_missing_retractions", ignore_result=True)
def write_missing_retractions() -> None:
    """Take back what is counted for a subject whose record was created over."""
    missing_retractions.write_missing_retractions(since=timezone.now() - missing_retractions.LOOK_BACK)


@shared_task(name="indexer.tasks.settle_refusals", ignore_result=True)
def purge_excluded_actors() -> None:
    """End what is indexed of actors whom someone refused."""
    do_not_index.apply_pending(now=timezone.now())


@shared_task(name="indexer.tasks.keep_raw_events", ignore_result=True)
def keep_raw_events() -> None:
    """Keep raw events for as long as KEEP_RAW_DAYS says."""
    retention.keep(config.keep_raw_days)


@shared_task(name="indexer.tasks.reread_raw_events", ignore_result=True)
def reread_raw_events() -> None:
    """Put raw events through the views again whose rules changed."""
    rereading.run_due(now=timezone.now(), budget=REREADING_BUDGET)


@shared_task(name="indexer.tasks.fill_actors", ignore_result=True)
def fill_actors() -> None:
    """Ask for names and counts of the actors whom the site shows."""
    fill()


@shared_task(name="indexer.tasks.run_backfills", ignore_result=True)
def run_backfills() -> None:
    """Fetch the records of actors whose backfill is due from their PDS."""
    jobs.run_due()


@shared_task(name="indexer.tasks.retry_dead_letters", ignore_result=True)
def retry_dead_letters(reason: str = "") -> None:
    """Try every dead letter again, or those with the reason, as someone asked in the admin."""
    retrying.retry(reason=reason, wait_seconds=TASK_WAIT_SECONDS)
