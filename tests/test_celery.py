from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from celery import current_app, signals
from celery.exceptions import Retry
from celery.schedules import crontab
from prometheus_client import REGISTRY

from atsite.celery import BEAT, MeasuredTask, app
from atsite.core.config import BASE_DIR, config
from atsite.supervision.site_probe import REFRESH_TASK
from feeds.tasks import refresh_feeds

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = datetime(2026, 3, 1, tzinfo=UTC)
#: By the clock; what comes oftener than a minute has a plain period.
BY_THE_CLOCK = {name: entry for name, entry in BEAT.items() if isinstance(entry["schedule"], crontab)}
MINUTES = [DAY + timedelta(minutes=minute) for minute in range(2 * 24 * 60)]


def test_a_worker_needs_no_variable_to_find_the_settings() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    code = "import atsite.celery, django.conf; print(django.conf.settings.ROOT_URLCONF)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=BASE_DIR, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "atsite.urls.admin\n"


def minutes_of(schedule: Any) -> list[datetime]:
    """When the crontab comes due within two days."""
    return [moment for moment in MINUTES if moment.hour in schedule.hour and moment.minute in schedule.minute]


def test_every_beat_entry_names_a_task_that_the_worker_knows() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in BEAT.values()} - set(app.tasks) == set()
    assert REFRESH_TASK in app.tasks


def test_each_task_comes_when_the_documents_say() -> None:
    """Minute and hour, in UTC. A task that is missing here never runs."""
    assert {entry["task"]: repr(entry["schedule"]).split(" ")[1:3] for entry in BY_THE_CLOCK.values()} == {
        "feeds.refresh_feeds": ["*", "*"],
        "feeds.run_backtests": ["*", "*"],
        "atsite.publish.tasks.publish_due": ["*", "*"],
        "apikeys.tasks.flush_usage": ["4-59/5", "*"],
        "feeds.write_usage": ["0-59/5", "*"],
        "indexer.tasks.rewrite_daily_stats": ["3-59/10", "*"],
        "indexer.tasks.fill_actors": ["*", "*"],
        "indexer.tasks.run_backfills": ["*", "*"],
        "labels.tasks.finish_bulk_changes": ["*", "*"],
        "labels.tasks.fetch_member_keys": ["*", "*"],
        "search.cleanup.tasks.keep_up": ["2-59/10", "*"],
        "search.cleanup.tasks.run_cleanups": ["*", "*"],
        "search.tasks.refresh_stats": ["1-59/5", "*"],
        "search.tasks.rank_people": ["37", "*"],
        "indexer.tasks.purge_deleted_accounts": ["27", "3"],
        "indexer.tasks.write_missing_retractions": ["17", "4"],
        "indexer.tasks.settle_refusals": ["*", "*"],
        "indexer.tasks.reread_raw_events": ["8-59/10", "*"],
        "indexer.tasks.keep_raw_events": ["57", "2"],
        "atsite.dashboard.tasks.clear_sessions": ["47", "3"],
    }
    assert {entry["task"]: entry["schedule"].run_every for name, entry in BEAT.items() if name not in BY_THE_CLOCK} == {
        "feeds.renew_tails": timedelta(seconds=15)
    }
    assert str(app.conf.timezone) == "UTC"


def test_no_two_entries_come_due_in_the_same_minute_but_for_the_one_of_every_minute() -> None:
    due = Counter(
        moment
        for entry in BY_THE_CLOCK.values()
        for moment in minutes_of(entry["schedule"])
        if entry["schedule"] != crontab()
    )
    assert [moment for moment, count in due.items() if count > 1] == []


def test_a_message_is_dropped_after_one_and_a_half_periods() -> None:
    periods = {
        name: max(later - earlier for earlier, later in pairwise(minutes_of(entry["schedule"]))).total_seconds()
        for name, entry in BY_THE_CLOCK.items()
    }
    periods |= dict.fromkeys(BEAT.keys() - BY_THE_CLOCK.keys(), 15)
    assert {name: entry["options"]["expires"] for name, entry in BEAT.items()} == {
        name: 1.5 * period for name, period in periods.items()
    }


def test_a_task_of_any_thread_goes_to_this_projects_broker() -> None:
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(lambda: refresh_feeds.app.main).result() == "atsite"
        assert threads.submit(lambda: current_app.connection_for_write().transport_cls).result() == "redis"


def test_only_json_is_taken_from_the_broker() -> None:
    assert (app.conf.accept_content, app.conf.task_serializer) == (["json"], "json")


@pytest.fixture
def probe() -> Iterator[str]:
    """A task that does what its argument says."""
    name = "tests.probe"

    @app.task(name=name)
    def run(what: str) -> str:
        if what == "fail":
            raise ValueError(what)
        if what == "retry":
            raise Retry
        return what

    assert isinstance(run, MeasuredTask)
    yield name
    app.tasks.pop(name)


@pytest.mark.parametrize(("what", "outcome"), [("pass", "succeeded"), ("fail", "failed"), ("retry", "retried")])
def test_every_task_is_measured_with_its_outcome(probe: str, what: str, outcome: str) -> None:
    def count() -> float:
        labels = {"task": probe, "outcome": outcome}
        return REGISTRY.get_sample_value("task_seconds_count", labels) or 0.0

    before = count()
    app.tasks[probe].apply(args=(what,))
    assert count() == before + 1


@pytest.mark.parametrize(("port", "served"), [(0, []), (8099, [8099])])
def test_a_metrics_port_of_0_starts_no_metrics_server(
    port: int, served: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    monkeypatch.setattr("atsite.celery.config", replace(config, metrics_port=port))
    monkeypatch.setattr("atsite.core.telemetry.start_metrics", started.append)
    signals.worker_init.send(sender=None)
    assert started == served
