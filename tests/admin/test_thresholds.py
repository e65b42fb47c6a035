"""From numbers to tiles: every state of each tile, at its limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from atsite.dashboard.number_words import size, span
from atsite.dashboard.numbers import Cleanups, DeadLetters, Disk, FeedUse, Gaps, Numbers, Scheduled, Stream, Table
from atsite.dashboard.overview import shown
from atsite.dashboard.read_numbers import Rate
from atsite.dashboard.thresholds import State, Tile, schedule_state, tiles
from atsite.task_runs import Run
from indexer.index.stream_state import Condition, StreamState

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, DAY, SECOND = timedelta(minutes=1), timedelta(days=1), timedelta(seconds=1)
GB = 10**9


def scheduled(age: timedelta, *, period: timedelta = MINUTE, outcome: str = "succeeded") -> Scheduled:
    return Scheduled("refresh the feeds", period, Run(NOW - age, 0.5, outcome))


WELL = Numbers(
    at=NOW,
    stores={"ClickHouse": 2.0, "Redis": 0.4, "default": 0.2},
    stream=Stream(NOW - 3 * SECOND, NOW - SECOND),
    events_per_second=812.4,
    gaps=Gaps(0, None, 0),
    dead_letters=DeadLetters(0, 0),
    feed_use=FeedUse(1200, 30),
    enabled_feeds=3,
    tables=(Table("repo_records", 2_000_000, 5 * GB), Table("likes", 10, 700)),
    disk=Disk(400 * GB, 1000 * GB, 5 * GB),
    clickhouse_disk=Disk(300 * GB, 500 * GB, 5 * GB),
    queue=2,
    schedule=(scheduled(20 * SECOND),),
    cleanups=Cleanups(0, 0),
    filtered=False,
)


def tile(key: str, **changed: Any) -> Tile:
    return next(tile for tile in tiles(replace(WELL, **changed)) if tile.key == key)


def test_a_site_that_is_well_has_nothing_to_do() -> None:
    assert [(tile.key, tile.state, tile.value) for tile in tiles(WELL)] == [
        ("lag", State.OK, "3 s"),
        ("events", State.OK, "812"),
        ("gaps", State.OK, "none"),
        ("dead_letters", State.OK, "none"),
        ("feed_use", State.OK, "1,200"),
        ("worker", State.OK, "2"),
        ("cleanups", State.OK, "none"),
        ("clickhouse", State.OK, "2 ms"),
        ("redis", State.OK, "0 ms"),
        ("default", State.OK, "0 ms"),
        ("disk", State.OK, "400.0 GB free"),
        ("clickhouse_disk", State.OK, "300.0 GB free"),
    ]
    assert [tile.todo for tile in tiles(WELL)] == [""] * 12


@pytest.mark.parametrize(
    ("key", "changed", "state", "value"),
    [
        ("lag", {"stream": Stream(NOW - 59 * SECOND, NOW - 29 * SECOND)}, State.OK, "59 s"),
        ("lag", {"stream": Stream(NOW - MINUTE, NOW)}, State.LOOK, "60 s"),
        ("lag", {"stream": Stream(NOW - 10 * MINUTE, NOW)}, State.ACT, "10 min"),
        ("lag", {"stream": Stream(NOW - 3 * SECOND, NOW - 30 * SECOND)}, State.LOOK, "3 s"),
        ("lag", {"stream": Stream(NOW - 3 * MINUTE, NOW - 3 * MINUTE)}, State.ACT, "3 min"),
        ("lag", {"stream": Stream(None, None)}, State.ACT, "nothing indexed yet"),
        ("lag", {"stream": Stream(NOW - DAY, NOW - DAY), "filtered": True}, State.QUIET, "24 h"),
        ("lag", {"stream": None}, State.ACT, "unknown"),
        ("events", {"events_per_second": None}, State.QUIET, "measuring"),
        ("events", {"events_per_second": 0.0}, State.LOOK, "0"),
        ("events", {"events_per_second": 0.0, "filtered": True}, State.OK, "0"),
        ("events", {"tables": None}, State.ACT, "unknown"),
        ("gaps", {"gaps": Gaps(2, NOW - 2 * DAY, 60)}, State.LOOK, "2"),
        ("gaps", {"gaps": Gaps(1, NOW - timedelta(hours=23), 60)}, State.ACT, "1"),
        ("gaps", {"gaps": None}, State.ACT, "unknown"),
        ("dead_letters", {"dead_letters": DeadLetters(7, 0)}, State.OK, "7"),
        ("dead_letters", {"dead_letters": DeadLetters(7, 1)}, State.LOOK, "7"),
        ("dead_letters", {"dead_letters": DeadLetters(1000, 999)}, State.LOOK, "1,000"),
        ("dead_letters", {"dead_letters": DeadLetters(1000, 1000)}, State.ACT, "1,000"),
        ("dead_letters", {"dead_letters": None}, State.ACT, "unknown"),
        ("feed_use", {"feed_use": FeedUse(0, 0)}, State.QUIET, "0"),
        ("feed_use", {"feed_use": None}, State.ACT, "unknown"),
        ("worker", {"queue": 49}, State.OK, "49"),
        ("worker", {"queue": 50}, State.LOOK, "50"),
        ("worker", {"queue": 499}, State.LOOK, "499"),
        ("worker", {"queue": 500}, State.ACT, "500"),
        ("worker", {"queue": None}, State.ACT, "unknown"),
        ("worker", {"schedule": (scheduled(4 * MINUTE),)}, State.LOOK, "2"),
        ("worker", {"schedule": (scheduled(7 * MINUTE),)}, State.ACT, "2"),
        ("worker", {"schedule": (Scheduled("new", MINUTE, None),)}, State.QUIET, "2"),
        ("cleanups", {"cleanups": Cleanups(1200, 0)}, State.OK, "1,200 active"),
        ("cleanups", {"cleanups": Cleanups(3, 1)}, State.LOOK, "1 failed"),
        ("cleanups", {"cleanups": Cleanups(3, 1, NOW - DAY, "mira")}, State.LOOK, "paused"),
        ("cleanups", {"cleanups": None}, State.ACT, "unknown"),
        ("redis", {"stores": {"Redis": None}}, State.ACT, "unavailable"),
        ("clickhouse", {"stores": {"ClickHouse": 500.0}}, State.OK, "500 ms"),
        ("clickhouse", {"stores": {"ClickHouse": 501.0}}, State.LOOK, "501 ms"),
        ("disk", {"disk": Disk(15 * GB, 1000 * GB, 5 * GB)}, State.OK, "15.0 GB free"),
        ("disk", {"disk": Disk(14 * GB, 1000 * GB, 5 * GB)}, State.LOOK, "14.0 GB free"),
        ("disk", {"disk": Disk(4 * GB, 1000 * GB, 5 * GB)}, State.ACT, "4.0 GB free"),
        ("clickhouse_disk", {"clickhouse_disk": None}, State.ACT, "unknown"),
    ],
)
def test_a_tile_tells_its_state_and_what_is_red_says_what_to_do(
    key: str, changed: dict[str, Any], state: State, value: str
) -> None:
    found = tile(key, **changed)
    assert (found.state, found.value) == (state, value)
    assert found.todo or state in (State.OK, State.QUIET)


def test_a_pause_of_clean_ups_says_by_whom_and_since_when_and_hides_no_failure() -> None:
    paused = tile("cleanups", cleanups=Cleanups(3, 2, NOW - 3 * DAY, "mira"))
    assert (paused.detail, paused.link) == (
        "by mira, 3 days ago; 3 not ended; 2 failed this week",
        "admin:cleanup_repocleanupjob_changelist",
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (scheduled(3 * MINUTE), (State.OK, "ok")),
        (scheduled(3 * MINUTE + SECOND), (State.LOOK, "late")),
        (scheduled(6 * MINUTE + SECOND), (State.ACT, "missing")),
        (scheduled(SECOND, outcome="failed"), (State.LOOK, "failed")),
        (scheduled(2 * DAY, period=DAY), (State.OK, "ok")),
        (Scheduled("new", DAY, None), (State.QUIET, "not yet")),
    ],
)
def test_a_task_is_judged_by_its_own_period(line: Scheduled, expected: tuple[State, str]) -> None:
    assert schedule_state(line, WELL) == expected


def test_the_page_of_a_site_whose_stores_are_all_away_is_complete() -> None:
    parts = ("stream", "events_per_second", "gaps", "dead_letters", "feed_use", "enabled_feeds", "tables", "disk")
    nothing: dict[str, Any] = dict.fromkeys((*parts, "clickhouse_disk", "queue", "schedule", "cleanups"))
    dead = replace(WELL, stores=dict.fromkeys(WELL.stores), **nothing)
    page = shown(dead)
    assert {tile["state"] for tile in page["tiles"]} == {"act"}
    assert len(page["tiles"]) == 12
    assert (page["tasks"], page["tables"]) == ([], [])


def test_rows_and_runs_are_shown_in_words() -> None:
    page = shown(WELL)
    assert page["at"] == "12:00:00 UTC"
    assert page["tables"] == [
        {"key": "repo_records", "rows": "2,000,000", "size": "5.0 GB"},
        {"key": "likes", "rows": "10", "size": "700 B"},
    ]
    expected = {"key": "refresh the feeds", "state": "ok", "word": "ok", "every": "60 s", "ran": "20 s ago"}
    assert page["tasks"] == [{**expected, "took": "0.5 s"}]


def test_spans_and_sizes_have_few_digits() -> None:
    assert [span(timedelta(seconds=s)) for s in (-5, 119, 120, 7199, 7200, 172_799, 172_800)] == [
        *("0 s", "119 s", "2 min", "120 min", "2 h", "48 h", "2 days")
    ]
    assert [size(number) for number in (0, 999, 1000, 2_500_000, 3 * 10**12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "2.5 MB",
        "3.0 TB",
    ]


def test_the_rate_is_that_of_the_last_ten_seconds_and_never_negative() -> None:
    rate = Rate()
    assert rate.of(1000, 0.0) is None
    assert rate.of(1500, 1.0) == 500
    assert rate.of(1500, 1.0) == 500
    for second in range(2, 30):
        last = rate.of(1500 + 100 * second, float(second))
    assert last == 100
    assert rate.of(0, 30.0) == 0


def connection(condition: Condition, since: timedelta, **fields: Any) -> StreamState:
    now = NOW.timestamp()
    return StreamState("jetstream.example", condition, since=now - since.total_seconds(), **{"at": now, **fields})


@pytest.mark.parametrize(
    ("state", "filtered", "shown", "detail"),
    [
        (
            connection(Condition.LOST, MINUTE, reason="it refuses connections"),
            False,
            State.ACT,
            "no connection to jetstream.example since 11:59:00 UTC: it refuses connections",
        ),
        (
            connection(Condition.LOST, 2 * DAY, reason="it answers HTTP 502"),
            True,
            State.ACT,
            "no connection to jetstream.example since 2026-02-27 12:00 UTC: it answers HTTP 502",
        ),
        (
            connection(Condition.SILENT, 2 * MINUTE),
            False,
            State.ACT,
            "jetstream.example is connected, but has sent no event since 11:58:00 UTC",
        ),
        (
            connection(Condition.QUIET, 5 * MINUTE),
            True,
            State.QUIET,
            "last stored 1 s ago; jetstream.example has sent no event since 11:55:00 UTC;"
            " it is asked only for what WANTED_… names",
        ),
        (
            connection(Condition.STREAMING, SECOND, at=(NOW - MINUTE).timestamp()),
            False,
            State.ACT,
            "the indexer of jetstream.example has given no sign of life since 11:59:00 UTC",
        ),
        (
            connection(Condition.STOPPED, MINUTE, reason="WS_URL: it answers HTTP 404"),
            False,
            State.ACT,
            "the indexer of jetstream.example stopped at 11:59:00 UTC: WS_URL: it answers HTTP 404",
        ),
        (connection(Condition.STREAMING, SECOND), False, State.OK, "last stored 1 s ago"),
        (connection(Condition.CONNECTING, SECOND), False, State.OK, "last stored 1 s ago"),
    ],
)
def test_where_no_event_can_arrive_the_overview_names_host_reason_and_since_when(
    state: StreamState, filtered: bool, shown: State, detail: str
) -> None:
    found = tile("lag", connection=state, filtered=filtered)
    assert (found.state, found.detail) == (shown, detail)
    assert bool(found.todo) is (shown is State.ACT)


def test_a_host_that_was_never_reached_is_named_before_anything_is_indexed() -> None:
    lost = connection(Condition.LOST, MINUTE, reason="its name cannot be resolved")
    found = tile("lag", connection=lost, stream=Stream(None, None))
    assert (found.value, found.detail) == (
        "nothing indexed yet",
        "no connection to jetstream.example since 11:59:00 UTC: its name cannot be resolved",
    )


def test_a_lag_is_called_normal_after_a_restart_only_where_nothing_is_known_of_the_connection() -> None:
    late = {"stream": Stream(NOW - MINUTE, NOW)}
    assert tile("lag", **late).todo == "Normal after a restart, for a minute or two."
    sends = tile("lag", **late, connection=connection(Condition.STREAMING, SECOND))
    assert sends.todo == "jetstream.example sends events, and the indexer catches up with them."
    silent = tile("lag", **late, connection=connection(Condition.STREAMING, 40 * SECOND))
    assert silent.todo == "jetstream.example has sent no event since 11:59:20 UTC."
