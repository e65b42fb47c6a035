"""Measures post search over 20 million posts, beside an SQLite FTS5 index of the same posts.

    ./just bench search [--posts N] [--requests N] [--without-sqlite]

Builds the posts (bench/search_posts.py) in blocks of at most 100,000 events through the real views, which takes most of
the time and about 8 GB, waits until ClickHouse has merged them, and asks a search service over HTTP: each question
with other words each time, first from one client and then from eight at once. Prints p50, p95 and p99 of the whole
request, and per request the rows and the memory of its statements, from the engine's log. SQLite answers the same
questions in this process, without the network; it counts no likes and cannot look inside of Chinese text.
Writes .data/bench/search.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.indexer import keep, stores
from bench.search_posts import Corpus
from bench.search_questions import SKELETON, Question, questions
from bench.sqlite_search import SqliteIndex

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import httpx

CLIENTS: Final = 8
#: How long the merges of the inserts may go on before the questions begin.
MERGE_SECONDS: Final = 900
#: Milliseconds at p95 with one client.
GOALS: Final = {
    "common word": 100, "rare word": 50, "phrase": 50, "tag": 50, "author and word": 50, "domain": 50,
    "Chinese word": 150, "five by OR": 150, "negation": 150, "page 50": 100, "top of a day, cold": 1_500,
    "top of a day, warm": 20,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=20_000_000)
    parser.add_argument("--requests", type=int, default=60, help="of each kind and number of clients")
    parser.add_argument("--without-sqlite", action="store_true")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="atsite-bench-", dir=os.environ.get("TMPDIR")))
        )
        stack.enter_context(stores(folder))
        import django

        django.setup()
        corpus = Corpus(arguments.posts, time.time_ns() // 1_000)
        fts = None if arguments.without_sqlite else SqliteIndex(folder / "fts.sqlite3")
        built = build(corpus, fts)
        answers = stack.enter_context(service())
        measured = {
            question.name: measure(question, answers, fts, arguments.requests)
            for question in questions(corpus, answers)
        }
    result = {**built, "cores": os.cpu_count(), "requests": arguments.requests, "questions": measured}
    show(result)
    keep("search", result)


def build(corpus: Corpus, fts: SqliteIndex | None) -> dict[str, Any]:
    """Insert everything; the numbers of rows and bytes."""
    from atsite.core.clickhouse import door

    began, in_sqlite = time.monotonic(), 0.0
    for number, block in enumerate(corpus.blocks(), 1):
        door.insert("repo_records", block.columns(), name="bench.posts")
        before = time.monotonic()
        if fts is not None:
            fts.add(block.posts)
        in_sqlite += time.monotonic() - before
        said(f"{number * 100_000:,} of {corpus.posts:,} posts")
    for block in corpus.engagement():
        door.insert("repo_records", block.columns(), name="bench.likes")
    inactive = corpus.inactive()
    count = len(inactive)
    now = [corpus.newest] * count
    columns: dict[str, Sequence[object]] = {
        "did": inactive,
        "active": [0] * count,
        "status": ["deactivated"] * count,
        "time_us": now,
        "version": now,
    }
    door.insert("actor_accounts", columns, name="bench.accounts")
    seconds = time.monotonic() - began - in_sqlite
    merged = merges()
    size = (
        "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table = 'posts'"
    )
    return {
        "posts": int(door.scalar("SELECT count() FROM posts", name="bench.count")),
        "likes_and_reposts": int(door.scalar("SELECT count() FROM engagement", name="bench.count")),
        "insert_seconds": round(seconds),
        "merge_seconds": round(merged),
        "posts_mb": round(int(door.scalar(size, name="bench.size")) / 1e6),
        "parts": int(door.scalar(size.replace("sum(bytes_on_disk)", "count()"), name="bench.parts")),
        "sqlite_seconds": round(in_sqlite),
        "sqlite_mb": 0 if fts is None else round(fts.file.stat().st_size / 1e6),
    }


def merges() -> float:
    """Seconds until ClickHouse merges nothing."""
    from atsite.core.clickhouse import door

    began = time.monotonic()
    quiet = 0
    while quiet < 3 and time.monotonic() - began < MERGE_SECONDS:
        running = door.scalar("SELECT count() FROM system.merges", name="bench.merges")
        quiet = 0 if running else quiet + 1
        said(f"merging: {running} at once")
        time.sleep(1)
    return time.monotonic() - began


def measure(question: Question, client: httpx.Client, fts: SqliteIndex | None, requests: int) -> dict[str, Any]:
    """One kind of question, from one client and from several, and by SQLite."""
    asked = [question.make() for _ in range(requests)]
    said(question.name)
    FAILED.clear()
    client.get(SKELETON, params=question.make())
    alone = [ask(client, each) for each in asked]
    rows, memory = cost(asked[:10])
    crowd: list[float] = []
    more = [question.make() for _ in range(requests * 2)]
    threads = [
        threading.Thread(target=lambda part=part: crowd.extend(ask(client, each) for each in part))
        for part in (more[number::CLIENTS] for number in range(CLIENTS))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    beside = [] if fts is None else [fts.seconds(text) for each in asked if (text := question.fts(each))]
    return {
        "goal_ms": GOALS[question.name],
        "one": percentiles(alone),
        "eight": percentiles(crowd),
        "sqlite": percentiles(beside),
        "failed": len(FAILED),
        "rows_read": rows,
        "memory_mb": memory,
    }


def ask(client: httpx.Client, parameters: dict[str, str]) -> float:
    """The seconds of a request; one that fails is counted."""
    began = time.perf_counter()
    answer = client.get(SKELETON, params=parameters)
    if answer.status_code != 200:
        FAILED.append(parameters["q"])
    return time.perf_counter() - began


def cost(asked: Sequence[dict[str, str]]) -> tuple[int, int]:
    """Rows read and megabytes of memory of the statements of a search, by the engine's log.

    The service's own statements are not in the log, as it would keep what people search for.
    """
    from atsite.core.clickhouse import door
    from atsite.core.clock import now_us
    from indexer.index.query import cutting, matches
    from labels.blocks import Blocks
    from search.posts import search, top, top_results
    from search.posts.asked import asked as asking
    from search.posts.asked import tree_of
    from search.posts.hidden import Hidden

    matches.SEARCH = replace(matches.SEARCH, logged=True)  # type: ignore[misc]
    cutting.LIMITS = replace(cutting.LIMITS, logged=True)  # type: ignore[misc]
    top.LIMITS = replace(top.LIMITS, logged=True)  # type: ignore[misc]
    began = door.scalar("SELECT toUnixTimestamp64Micro(now64(6))", name="bench.now")
    for each in asked:
        now = now_us()
        where = asking(tree_of(each["q"], dict(each)), viewer=None, now=now).where
        pages = top_results if "sort" in each else search
        pages.page(where, Hidden(Blocks()), limit=25, cursor=each.get("cursor"), now=now)
    door.execute("SYSTEM FLUSH LOGS", name="bench.flush")
    (found,) = door.query(
        "SELECT sum(read_rows), max(memory_usage) FROM system.query_log"
        " WHERE type = 'QueryFinish' AND toUnixTimestamp64Micro(event_time_microseconds) > {began:Int64}"
        " AND (log_comment LIKE 'search.%' OR log_comment LIKE 'indexer.%')",
        {"began": began},
        into=Cost,
        name="bench.log",
    )
    return round(found.rows / len(asked)), round(found.memory / 1e6)


#: Queries that got no answer: the service gives up after five seconds.
FAILED: Final[list[str]] = []


@dataclass(frozen=True)
class Cost:
    """Of statements."""

    rows: int
    memory: int


@contextmanager
def service() -> Iterator[httpx.Client]:
    """A running search service."""
    from tests.search.service import running

    for each in running(SEARCH_PER_MINUTE="1000000"):
        yield each.client


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    ordered = sorted(seconds)
    at = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
    return {
        name: round(ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1_000, 1)
        for name, share in at.items()
        if ordered
    }


def said(text: str) -> None:
    """Progress, on one line."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def show(result: dict[str, Any]) -> None:
    said("")
    about = {name: value for name, value in result.items() if name != "questions"}
    sys.stdout.write(json.dumps(about) + "\n")
    head = ("question", "goal", "p50", "p95", "p99", "p95 of 8", "SQLite p95", "rows read", "MB", "failed")
    line = "{:<20} {:>6} {:>8} {:>8} {:>8} {:>9} {:>11} {:>11} {:>5} {:>7}\n"
    sys.stdout.write(line.format(*head))
    for name, row in result["questions"].items():
        one, eight, beside = row["one"], row["eight"], row["sqlite"].get("p95", "–")
        cells = (
            name,
            row["goal_ms"],
            one["p50"],
            one["p95"],
            one["p99"],
            eight["p95"],
            beside,
            row["rows_read"],
            row["memory_mb"],
            row["failed"],
        )
        sys.stdout.write(line.format(*map(str, cells)))


if __name__ == "__main__":
    main()
