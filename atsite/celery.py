"""The Celery application: the worker's tasks, and the one table of what is due when (beat).

A message is never the only record of work: tasks find what there is to do from rows, so the next message makes good a
lost one. Hence a message is acknowledged when its task begins (a task that kills its worker is not tried for ever), no
result is stored, and a message that waited longer than one and a half periods is dropped.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from celery import Celery, Task, signals
from celery.exceptions import Ignore, Retry
from celery.schedules import crontab
from prometheus_client import Histogram

from atsite import runs
from atsite.core import telemetry
from atsite.core.config import config

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atsite.settings")

TASK_SECONDS = Histogram(
    "task_seconds",
    "Time of one Celery task",
    ["task", "outcome"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1800),
)
#: Tasks that run side by side: one long one (a purge) must not hold up the feeds. What they cost is in ClickHouse.
CONCURRENCY = 4
BACKLOG_IN_PERIODS = 1.5
#: Kombu keeps the messages of a queue in a Redis list of that name (with the prefix before it).
QUEUE, QUEUE_PREFIX = "atsite", "atsite:celery:"


class MeasuredTask(Task[Any, Any]):
    """The base of every task: its duration and outcome (succeeded, failed, retried) are measured, and shown."""

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
            runs.note(self.name, runs.Run(datetime.now(UTC), seconds, outcome))
        return result


def due(task: str, schedule: crontab, *, every: timedelta) -> dict[str, Any]:
    """One line of the beat table. `every` is the period of `schedule`."""
    return {
        "task": task,
        "schedule": schedule,
        "options": {"expires": every.total_seconds() * BACKLOG_IN_PERIODS},
    }


def period_of(line: dict[str, Any]) -> timedelta:
    """`every` of a line of the beat table."""
    return timedelta(seconds=line["options"]["expires"] / BACKLOG_IN_PERIODS)


#: Minutes are staggered, so that no two of them begin together; only what is done in a moment comes every minute.
BEAT: dict[str, dict[str, Any]] = {
    "refresh the feeds": due("feeds.refresh_feeds", crontab(), every=timedelta(minutes=1)),
    # What could not be published at once; the change itself publishes, so there is rarely anything to do.
    "publish what people decided": due("atsite.publish.tasks.publish_due", crontab(), every=timedelta(minutes=1)),
    "write how often API keys were used": due(
        "apikeys.tasks.flush_usage", crontab(minute="4-59/5"), every=timedelta(minutes=5)
    ),
    "write how much feeds are read": due("feeds.write_usage", crontab(minute="0-59/5"), every=timedelta(minutes=5)),
    "rewrite the daily statistics": due(
        "indexer.tasks.rewrite_daily_stats", crontab(minute="3-59/10"), every=timedelta(minutes=10)
    ),
    # Each minute, as a round asks for most of one; who is due is found from rows.
    "ask for names and counts of actors": due("indexer.tasks.fill_actors", crontab(), every=timedelta(minutes=1)),
    "fetch the records of new actors": due("indexer.tasks.run_backfills", crontab(), every=timedelta(minutes=1)),
    "finish bulk changes of labels": due("labels.tasks.finish_bulk_changes", crontab(), every=timedelta(minutes=1)),
    # A new member asks for it at once; this is for messages that got lost, and renews keys of some hours ago.
    "fetch the signing keys of members": due("labels.tasks.fetch_member_keys", crontab(), every=timedelta(minutes=1)),
    "count the totals of /stats": due(
        "search.tasks.refresh_stats", crontab(minute="1-59/5"), every=timedelta(minutes=5)
    ),
    # 03:27 UTC: night where most readers are, and past the first rewrite of the new day.
    "purge deleted accounts": due(
        "indexer.tasks.purge_deleted_accounts", crontab(hour="3", minute="27"), every=timedelta(days=1)
    ),
    # Counts by subject are right within a day, also where a record was created over another.
    "write retractions that are missing": due(
        "indexer.tasks.write_missing_retractions", crontab(hour="4", minute="17"), every=timedelta(days=1)
    ),
    # Someone waits to be gone; without anything to do it is one question.
    "end what refused actors had": due("indexer.tasks.settle_refusals", crontab(), every=timedelta(minutes=1)),
    # After a migration that changed a rule; else it is one question.
    "read raw events again after a change of rules": due(
        "indexer.tasks.reread_raw_events", crontab(minute="8-59/10"), every=timedelta(minutes=10)
    ),
    "keep raw events as long as KEEP_RAW_DAYS says": due(
        "indexer.tasks.keep_raw_events", crontab(hour="2", minute="57"), every=timedelta(days=1)
    ),
}

app = Celery("atsite", broker=config.redis_url or None, task_cls=MeasuredTask)
app.conf.update(
    timezone="UTC",
    # JSON only: unpickling a message runs whatever its sender wants.
    accept_content=["json"],
    task_serializer="json",
    task_ignore_result=True,
    task_default_queue=QUEUE,
    # Every key of this project in Redis begins so (atsite/kv).
    broker_transport_options={"global_keyprefix": QUEUE_PREFIX},
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # Threads: a task waits for ClickHouse and Redis, whose pools and limits the process shares, and one metrics port
    # tells about all of them. A fork would copy live connections.
    worker_pool="threads",
    worker_concurrency=CONCURRENCY,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    beat_schedule=BEAT,
    beat_schedule_filename=str(config.data_dir / "beat-schedule"),
)
app.autodiscover_tasks()


@signals.setup_logging.connect
def _configure_logging(**_: object) -> None:
    """A receiver of this signal keeps Celery from setting up logs of its own."""
    telemetry.configure()


@signals.worker_init.connect
def _start_metrics(**_: object) -> None:
    if config.metrics_port:
        telemetry.start_metrics(config.metrics_port)
