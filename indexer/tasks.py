"""The Celery tasks of the indexer. Each is one line; the called function does the work and explains it."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from atsite.core.config import config
from indexer.backfill import jobs
from indexer.fill.run import fill
from indexer.index import do_not_index, missing_retractions, purge, rereading, retention, stats
from indexer.stream import retry_dead_letters as retrying

#: Seconds to wait for ClickHouse; then the letters stay and can be retried.
TASK_WAIT_SECONDS = 60.0
#: The task begins no other day after this; the next run, ten minutes later, continues.
REREADING_BUDGET = timedelta(minutes=5)


@shared_task(name="indexer.tasks.rewrite_daily_stats", ignore_result=True)
def rewrite_daily_stats() -> None:
    """Recompute the days that events of the last week affect."""
    stats.rewrite_daily_stats(now=timezone.now())


@shared_task(name="indexer.tasks.purge_deleted_accounts", ignore_result=True)
def purge_deleted_accounts() -> None:
    """Delete the rows of deleted accounts and of repos that started over."""
    purge.purge_dead(now=timezone.now())


@shared_task(name="indexer.tasks.write_missing_retractions", ignore_result=True)
def write_missing_retractions() -> None:
    """Retract counts of records that a later create replaced."""
    missing_retractions.write_missing_retractions(since=timezone.now() - missing_retractions.LOOK_BACK)


@shared_task(name="indexer.tasks.settle_refusals", ignore_result=True)
def purge_excluded_actors() -> None:
    """Delete the indexed data of actors that are not to be indexed."""
    do_not_index.apply_pending(now=timezone.now())


@shared_task(name="indexer.tasks.keep_raw_events", ignore_result=True)
def keep_raw_events() -> None:
    """Set the retention of raw events to KEEP_RAW_DAYS."""
    retention.keep(config.keep_raw_days)


@shared_task(name="indexer.tasks.reread_raw_events", ignore_result=True)
def reread_raw_events() -> None:
    """Reprocess raw events after a rule of the views changed."""
    rereading.run_due(now=timezone.now(), budget=REREADING_BUDGET)


@shared_task(name="indexer.tasks.fill_actors", ignore_result=True)
def fill_actors() -> None:
    """Fetch names and counts of the actors that the site shows."""
    fill()


@shared_task(name="indexer.tasks.run_backfills", ignore_result=True)
def run_backfills() -> None:
    """Run the backfills that are due."""
    jobs.run_due()


@shared_task(name="indexer.tasks.retry_dead_letters", ignore_result=True)
def retry_dead_letters(reason: str = "") -> None:
    """Retry every dead letter, or those with the reason; started from the admin."""
    retrying.retry(reason=reason, wait_seconds=TASK_WAIT_SECONDS)
