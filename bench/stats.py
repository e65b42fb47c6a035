"""Measures /stats/period and the refresh of /stats, beside merging the sets of actors at each request.

    ./just bench stats [--events N] [--posts N] [--likes N] [--times N]

The sets of 90 days by hour and kind are made by the engine from `--events` generated events of five million accounts,
directly into daily_stats_actors; posts and likes go directly into their tables, without texts. Then the task's counts
run, and /stats/period is asked over HTTP. Prints a table; writes .data/bench/stats.json.
"""

from __future__ import annotations

import argparse
import http.client
import os
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.indexer import keep, stores
from bench.people import get, say, service
from bench.people_fts5 import percentiles

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS: Final = 90
ACCOUNTS: Final = 5_000_000
#: The accounts of a day are drawn so that some are much busier than others.
ACCOUNT: Final = f"toUInt64(pow((cityHash64(number, 1) % 1000000007) / 1000000007, 2) * {ACCOUNTS})"
SETS: Final = f"""
INSERT INTO daily_stats_actors
SELECT toDateTime({{day:DateTime('UTC')}}, 'UTC') + toIntervalHour(number % 24) AS hour,
    ['like', 'like', 'like', 'post', 'repost', 'follow', 'block', 'other'][1 + cityHash64(number, 2) % 8] AS kind,
    uniqCombined64State(17)(cityHash64({ACCOUNT})) AS actors
FROM numbers({{first:UInt64}}, {{count:UInt64}}) GROUP BY hour, kind
"""
EXACT: Final = f"SELECT uniqExact({ACCOUNT}) FROM numbers({{first:UInt64}}, {{count:UInt64}})"
#: The alternative: what a request would ask without the cache.
MERGED: Final = """
SELECT uniqCombined64Merge(17)(actors), uniqCombined64MergeIf(17)(actors, kind = 'post') FROM daily_stats_actors
WHERE hour >= {since:DateTime('UTC')}
"""
# A TID for each number: 13 letters of five bits, growing with the number.
RKEY: Final = (
    "arrayStringConcat(arrayMap(i -> substring('234567abcdefghijklmnopqrstuvwxyz', 1 + bitAnd(bitShiftRight("
    "bitShiftLeft(us, 10), 5 * (12 - i)), 31), 1), range(13)))"
)
ROWS: Final = f"""
INSERT INTO {{table}} (rkey, did, {{extra}}time_us, version)
SELECT {RKEY}, concat('did:plc:', leftPad(toString({ACCOUNT}), 24, 'a')), {{value}}us, bitShiftLeft(us, 10)
FROM (SELECT number, toUInt64({{since}} + number * {{step}}) AS us FROM numbers({{count}}))
"""
MEMORY: Final = """
SELECT max(memory_usage) FROM system.query_log
WHERE type = 'QueryFinish' AND log_comment LIKE 'stats.%' AND event_time_microseconds >= {since:DateTime64(6)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=500_000_000)
    parser.add_argument("--posts", type=int, default=20_000_000)
    parser.add_argument("--likes", type=int, default=100_000_000)
    parser.add_argument("--times", type=int, default=500)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atsite-bench-")))
        stack.enter_context(stores(folder))
        import django

        django.setup()
        until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        fill(arguments.events, arguments.posts, arguments.likes, until)
        result: dict[str, Any] = vars(arguments) | {"cores": os.cpu_count()} | refreshes()
        result["30 days merged, ms"] = merged(until - timedelta(days=30), min(arguments.times, 20))
        result["error"] = error(arguments.events // DAYS)
        port = stack.enter_context(service())
        result["30 days, ms"] = asked(port, arguments.times)
    for name, value in result.items():
        say(f"{name}: {value}")
    keep("stats", result)


def fill(events: int, posts: int, likes: int, until: datetime) -> None:
    """Generate sets, posts and likes of the last 90 days."""
    from atsite.core.clickhouse import door
    from atsite.core.clickhouse.limits import TASK

    began, count = time.monotonic(), events // DAYS
    for day in range(DAYS):
        parameters = {"day": until - timedelta(days=day + 1), "first": day * count, "count": count}
        door.execute(SETS, parameters, name="bench.sets", limits=TASK)
    since = int((until - timedelta(days=DAYS)).timestamp()) * 1_000_000
    for table, rows, extra, value in (
        ("posts", posts, "", ""),
        ("likes", likes, "subject_uri, ", "'at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3kaaaaaaaaaaa', "),
    ):
        step, part = DAYS * 86_400_000_000 // rows, 2_000_000
        for first in range(0, rows, part):
            statement = ROWS.format(
                table=table, extra=extra, value=value, since=since + first * step, step=step,
                count=min(part, rows - first),
            )  # fmt: skip
            door.execute(statement, name="bench.rows", limits=TASK)
    say(f"{events:,} events, {posts:,} posts, {likes:,} likes made in {time.monotonic() - began:.0f} s")


def refreshes() -> dict[str, float]:
    """Seconds of each count of the task, and the most memory of one statement."""
    from atsite.core.clickhouse import door
    from search.stats import site_stats

    since = datetime.now(UTC)
    result = {
        "refresh totals, s": took(site_stats.TOTALS.refresh),
        "refresh periods, s": took(site_stats.PERIODS.refresh),
        "refresh followers and first posts, s": took(site_stats.AUDIENCE.refresh),
    }
    door.execute("SYSTEM FLUSH LOGS", name="bench.flush")
    with door._client("bench.memory", None) as client:
        ((memory,),) = client.execute(MEMORY, {"since": since.strftime("%Y-%m-%d %H:%M:%S.%f")})
    return result | {"memory, MB": memory / 1e6}


def took(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def merged(since: datetime, times: int) -> list[float]:
    """p50, p95 and p99 of merging the sets for each request."""
    from atsite.core.clickhouse import door
    from atsite.core.clickhouse.limits import TASK

    def once() -> None:
        door.execute(MERGED, {"since": since}, name="bench.merged", limits=TASK)

    return percentiles([1000 * took(once) for _ in range(times)])


def error(count: int) -> float:
    """How far the number of the last 30 days is from the exact one of the same events, as a part of it."""
    from atsite.core.clickhouse import door
    from atsite.core.clickhouse.limits import TASK
    from search.stats import site_stats

    exact = door.scalar(EXACT, {"first": 0, "count": 30 * count}, name="bench.exact", limits=TASK)
    # The running hour has no events yet: 30 days of events are 721 hours.
    return float(abs(site_stats.PERIODS.current().value.actors[30 * 24] - exact) / exact)


def asked(port: int, times: int) -> list[float]:
    """p50, p95 and p99 of requests over HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    answers = [get(connection, "/stats/period", {"lookback_window": "30d"}) for _ in range(times)]
    failed = sum(status != 200 for status, _ in answers)
    say(f"{failed} requests failed")
    return percentiles([milliseconds for _, milliseconds in answers])


if __name__ == "__main__":
    main()
