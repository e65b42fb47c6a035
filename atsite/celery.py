"""The Celery application: the worker's tasks, and the schedule of its periodic tasks (beat).

A message is never the only record of work: tasks find their work in rows, so the next message makes up for a lost one.
Therefore a message is acknowledged when its task begins (a task that kills its worker is not retried forever), results
are not stored, and a message that waited longer than one and a half periods is dropped.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from celery import Celery, Task, signals
from celery.exceptions import Ignore, Retry
from celery.schedules import crontab, schedule
from prometheus_client import Histogram

from atsite import task_runs
from atsite.core import telemetry
from atsite.core.config import config

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atsite.settings")

TASK_SECONDS = Histogram(
    "task_seconds",
    "Duration of one Celery task",
    ["task", "outcome"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800),
)
#: Tasks that run in parallel: a long one (a purge) must not hold up the feeds. Their cost is in ClickHouse.
CONCURRENCY = 4
BACKLOG_IN_PERIODS = 1.5
#: Kombu keeps the messages of a queue in a Redis list with the queue's name, after the prefix.
QUEUE, QUEUE_PREFIX = "atsite", "atsite:celery:"


class MeasuredTask(Task[Any, Any]):
    """The base of every task: its duration and outcome (succeeded, failed, retried) are measured and shown."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        started, outcome = perf_counter(), "failed"
        try:
            result = super().__call__(*args, **kwargs)
            outcome = "succeeded"
        except (Retry, Ignore):
            outcome = "retried"
            raise
        finally:
            seconds = perf_counter() - started
            TASK_SECONDS.labels(task=self.name, outcome=outcome).observe(seconds)
            task_runs.note(self.name, task_runs.Run(datetime.now(UTC), seconds, outcome))
        return result


def due(task: str, when: crontab | schedule, *, every: timedelta) -> dict[str, Any]:
    """One entry of the beat schedule. `every` is the period of `when`."""
    return {
        "task": task,
        "schedule": when,
        "options": {"expires": every.total_seconds() * BACKLOG_IN_PERIODS},
    }


def period_of(line: dict[str, Any]) -> timedelta:
    """The period (`every`) of an entry of the beat schedule."""
    return timedelta(seconds=line["options"]["expires"] / BACKLOG_IN_PERIODS)


#: Minutes are staggered so that no two long tasks begin together; only short tasks run every minute.
BEAT: dict[str, dict[str, Any]] = {
    "renew the newest posts of feeds made of a search": due(
        "feeds.renew_tails", schedule(timedelta(seconds=15)), every=timedelta(seconds=15)
    ),
    "refresh the feeds": due("feeds.refresh_feeds", crontab(), every=timedelta(minutes=1)),
    "count how many posts a day feeds give": due("feeds.run_backtests", crontab(), every=timedelta(minutes=1)),
    # Copies that could not be written at once; each change writes its own copy, so there is rarely anything to do.
    "copy decisions to ClickHouse": due("atsite.publish.tasks.publish_due", crontab(), every=timedelta(minutes=1)),
    "write how often API keys were used": due(
        "apikeys.tasks.flush_usage", crontab(minute="4-59/5"), every=timedelta(minutes=5)
    ),
    "write how much feeds are read": due("feeds.write_usage", crontab(minute="0-59/5"), every=timedelta(minutes=5)),
    "rewrite the daily statistics": due(
        "indexer.tasks.rewrite_daily_stats", crontab(minute="3-59/10"), every=timedelta(minutes=10)
    ),
    # Every minute, because a round takes most of one; rows say which actors are due.
    "ask for names and counts of actors": due("indexer.tasks.fill_actors", crontab(), every=timedelta(minutes=1)),
    "fetch the records of new actors": due("indexer.tasks.run_backfills", crontab(), every=timedelta(minutes=1)),
    "finish bulk changes of labels": due("labels.tasks.finish_bulk_changes", crontab(), every=timedelta(minutes=1)),
    # A new member asks for it at once; this is for messages that got lost, and renews keys of some hours ago.
    "fetch the signing keys of members": due("labels.tasks.fetch_member_keys", crontab(), every=timedelta(minutes=1)),
    "count the totals of /stats": due(
        "search.tasks.refresh_stats", crontab(minute="1-59/5"), every=timedelta(minutes=5)
    ),
    # Off the minutes of the others: on a large index it takes some minutes.
    "rank people for their search": due("search.tasks.rank_people", crontab(minute="37"), every=timedelta(hours=1)),
    # Every minute: rows say which are due, and most of the time a clean-up waits for a limit of its PDS.
    "delete what people asked for": due("search.cleanup.tasks.run_cleanups", crontab(), every=timedelta(minutes=1)),
    "expire what clean-ups kept": due(
        "search.cleanup.tasks.keep_up", crontab(minute="2-59/10"), every=timedelta(minutes=10)
    ),
    # 03:27 UTC: night where most readers are, and past the first rewrite of the new day.
    "purge deleted accounts": due(
        "indexer.tasks.purge_deleted_accounts", crontab(hour="3", minute="27"), every=timedelta(days=1)
    ),
    # Counts by subject are right within a day, also where a record was created over another.
    "write retractions that are missing": due(
        "indexer.tasks.write_missing_retractions", crontab(hour="4", minute="17"), every=timedelta(days=1)
    ),
    # Every minute: people wait for their data to be deleted. With nothing to do it is one query.
    "purge actors that are not indexed": due("indexer.tasks.settle_refusals", crontab(), every=timedelta(minutes=1)),
    # Has work after a migration that changed a rule; otherwise it is one query.
    "read raw events again after a change of rules": due(
        "indexer.tasks.reread_raw_events", crontab(minute="8-59/10"), every=timedelta(minutes=10)
    ),
    "keep raw events as long as KEEP_RAW_DAYS says": due(
        "indexer.tasks.keep_raw_events", crontab(hour="2", minute="57"), every=timedelta(days=1)
    ),
    "delete expired sessions of the admin": due(
        "atsite.dashboard.tasks.clear_sessions", crontab(hour="3", minute="47"), every=timedelta(days=1)
    ),
}

app = Celery("atsite", broker=config.redis_url or None, task_cls=MeasuredTask)
app.conf.update(
    timezone="UTC",
    # JSON only: unpickling a message runs any code that its sender wants.
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_default_queue=QUEUE,
    # Every Redis key of this project has this prefix (atsite/core/kv).
    broker_transport_options={"global_keyprefix": QUEUE_PREFIX},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # Threads: a task waits for ClickHouse and Redis, whose pools and limits the process shares, and one metrics port
    # serves all of them. A fork would copy live connections.
    worker_pool="threads",
    worker_concurrency=CONCURRENCY,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    beat_schedule=BEAT,
    beat_schedule_filename=str(config.data_dir / "beat-schedule"),
)
app.autodiscover_tasks()
# The app of this folder has the name of Django's admin, which it replaces.
app.autodiscover_tasks(["atsite.dashboard"])


@signals.setup_logging.connect
def _configure_logging(**_: object) -> None:
    """A receiver of this signal keeps Celery from setting up logs of its own."""
    telemetry.configure()


@signals.worker_init.connect
def _start_metrics(**_: object) -> None:
    if config.metrics_port:
        telemetry.start_metrics(config.metrics_port)
