"""Measures the search of people over millions of accounts, beside SQLite's full-text index of the same names.

    ./just bench people [--accounts N] [--times N]

The accounts come through the real tables and views, in blocks of 100,000: identities, profiles, account states and
counts of followers, follows and blocks of some viewers. Then the hourly task ranks them, the tables are merged, as they
are every six hours, and some more accounts follow. `/actors/type_ahead` is asked over HTTP of the real service, by one
client and by eight. The same names and followers are in an FTS5 table with an index of prefixes. Prints a table; writes
.data/bench/people.json.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from bench.indexer import MANAGE, keep, stores
from bench.people_fts5 import beside, percentiles
from bench.people_names import BLOCK, insert_accounts, insert_names, insert_relations

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNTS: Final = 5_000_000
#: Requests of each kind; each asks for something else.
TIMES: Final = 150
VIEWERS: Final = 50
#: Of an account that is asked for by the beginnings of its names.
SAMPLE: Final = """
SELECT did, anyIf(value, fact = 'handle'), anyIf(words, fact = 'name')
FROM people_facts FINAL
WHERE did IN (SELECT did FROM people_facts WHERE cityHash64(did) % {part:UInt32} = 0 LIMIT {most:UInt32})
GROUP BY did HAVING countIf(fact = 'name' AND words != '') > 0
"""
READ: Final = """
SELECT sum(read_rows), max(memory_usage), count() FROM system.query_log
WHERE type = 'QueryFinish' AND log_comment LIKE 'search.people%' AND event_time_microseconds >= {since:DateTime64(6)}
"""


@dataclass(frozen=True)
class _Sample:
    did: str
    handle: str
    words: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--times", type=int, default=TIMES)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atsite-bench-")))
        engine = stack.enter_context(stores(folder))
        import django

        django.setup()
        seconds = fill(arguments.accounts)
        questions = asked(arguments.times)
        port = stack.enter_context(service())
        result: dict[str, Any] = {"accounts": arguments.accounts, "cores": os.cpu_count(), "seconds": seconds}
        result["disk"] = disk()
        result["one"] = over_http(port, questions, clients=1)
        result["eight"] = over_http(port, questions, clients=8)
        result["read"] = {kind: read_by(texts) for kind, texts in questions.items()}
        result["engine MB"] = resident(engine)
        result["fts5"], result["seconds"]["fts5"] = beside(folder / "names.sqlite", arguments.accounts, questions)
    show(result)
    keep("people", result)


def fill(accounts: int) -> dict[str, float]:
    """Write the accounts and rank them; returns the seconds that each took."""
    from datetime import UTC, datetime

    from atsite.core.clickhouse import door
    from atsite.core.clickhouse.limits import TASK
    from search.people.ranking import rank_people

    began = time.monotonic()
    insert_names()
    for first in range(0, accounts, BLOCK):
        insert_accounts(first, min(BLOCK, accounts - first))
    insert_relations(accounts, VIEWERS)
    written = time.monotonic()
    say(f"{accounts:,} accounts written in {written - began:.0f} s")
    popular = rank_people(now=datetime.now(UTC))
    ranked = time.monotonic()
    say(f"ranked in {ranked - written:.0f} s, {popular} popular beginnings")
    for table in ("people_facts", "people_tokens"):  # as the tables do by themselves every six hours
        door.execute(f"OPTIMIZE TABLE {table} FINAL", name="bench.optimize", limits=TASK)
    for part in range(5):  # what arrived since
        insert_accounts(accounts + part * 1_000, 1_000)
    return {"written": written - began, "ranked": ranked - written}


def asked(times: int) -> dict[str, list[dict[str, str]]]:
    """The parameters of the requests, by kind."""
    from atsite.core.clickhouse import door
    from bench.people_names import viewer

    rng = random.Random(3)
    rows = door.query(SAMPLE, {"part": 97, "most": 8 * times}, into=_Sample, name="bench.people")
    handles = [row.handle for row in rows if row.handle]
    words = [word for row in rows for word in row.words.split(" ") if word.isascii() and len(word) > 3]
    names = [row.words.split(" ") for row in rows if " " in row.words]
    rng.shuffle(words)

    def cut(length: int) -> list[str]:
        return [rng.choice(words)[:length] for _ in range(times)]

    def typo() -> str:
        word = rng.choice([word for word in words if len(word) > 4])
        at = rng.randrange(1, len(word) - 1)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    kinds: dict[str, list[str]] = {
        "one letter": cut(1),
        "two letters": cut(2),
        "three letters": cut(3),
        "five letters": cut(5),
        "whole word": rng.sample(words, min(times, len(words))),
        "two words": [" ".join(part[:3] for part in rng.choice(names)[:2]) for _ in range(times)],
        "part of a handle": [rng.choice(handles)[:9] for _ in range(times)],
        "one edit": [typo() for _ in range(times)],
        "Chinese": [rng.choice(("山田", "山田太", "太郎", "東", "東京", "猫")) for _ in range(times)],
    }
    questions = {kind: [{"query": text} for text in texts] for kind, texts in kinds.items()}
    questions["with a viewer"] = [
        {"query": text, "actorDid": viewer(rng.randrange(VIEWERS))} for text in cut(2) + cut(4)
    ]
    return questions


@contextmanager
def service() -> Iterator[int]:
    """The search service; its port."""
    from atsite.core.embedded.ports import free_port

    port = free_port()
    process = subprocess.Popen(
        [*MANAGE, "run_search", "--port", str(port)], env={**os.environ, "SEARCH_PER_MINUTE": "1000000"}
    )
    try:
        for _ in range(300):
            try:
                if get(http.client.HTTPConnection("127.0.0.1", port), "/xrpc/_health", {})[0] == 200:
                    break
            except OSError:
                time.sleep(0.2)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def get(connection: http.client.HTTPConnection, path: str, parameters: dict[str, str]) -> tuple[int, float]:
    """Status and milliseconds of a request."""
    began = time.perf_counter()
    connection.request("GET", f"{path}?{urlencode(parameters)}")
    response = connection.getresponse()
    response.read()
    return response.status, (time.perf_counter() - began) * 1000


def over_http(port: int, questions: dict[str, list[dict[str, str]]], *, clients: int) -> dict[str, list[float]]:
    """p50, p95 and p99 in milliseconds, by kind, and of all together."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    failed: list[int] = []

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        mixed = [(kind, each) for kind, texts in questions.items() for each in texts[number::clients]]
        random.Random(number).shuffle(mixed)
        for kind, parameters in mixed:
            status, took = get(connection, "/actors/type_ahead", parameters)
            times[kind].append(took)
            failed.extend([status] if status != 200 else [])

    get(http.client.HTTPConnection("127.0.0.1", port), "/actors/type_ahead", {"query": "warm"})
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(ask, range(clients)))
    say(f"{clients} clients: {len(failed)} requests failed")
    everything = [took for values in times.values() for took in values]
    return {kind: percentiles(times[kind]) for kind in questions} | {"all": percentiles(everything)}


def read_by(questions: list[dict[str, str]]) -> dict[str, float]:
    """Rows read and statements for each search, and the most memory of one statement, as ClickHouse noted them."""
    from datetime import UTC, datetime

    from atsite.core.clickhouse import door
    from labels.blocks import Blocks
    from search.people import persons, queries
    from search.people.search import Search

    queries.PEOPLE = persons.PEOPLE = replace(queries.PEOPLE, logged=True)  # type: ignore[misc,attr-defined]
    door.execute("SYSTEM FLUSH LOGS", name="bench.flush")
    since = datetime.now(UTC)
    some = questions[:40]
    for parameters in some:
        Search(queries.cut(parameters["query"]), parameters.get("actorDid"), Blocks()).page(25, walk=False)  # type: ignore[arg-type]
    door.execute("SYSTEM FLUSH LOGS", name="bench.flush")
    with door._client("bench.read", None) as client:
        ((rows, memory, statements),) = client.execute(READ, {"since": since.strftime("%Y-%m-%d %H:%M:%S.%f")})
    return {"rows": rows / len(some), "MB": memory / 1e6, "statements": statements / len(some)}


def disk() -> dict[str, str]:
    """Rows and megabytes of the tables of this search."""
    from atsite.core.clickhouse import door

    with door._client("bench.disk", None) as client:
        rows = client.execute(
            "SELECT table, sum(rows), round(sum(bytes_on_disk) / 1e6), count() FROM system.parts"
            " WHERE active AND table LIKE 'people%' GROUP BY table ORDER BY table"
        )
    return {table: f"{count:,} rows, {size:.0f} MB, {parts} parts" for table, count, size, parts in rows}


def resident(pid: int) -> int:
    """Megabytes of memory that a process has."""
    fields = Path(f"/proc/{pid}/status").read_text(encoding="ascii").split()
    return int(fields[fields.index("VmRSS:") + 1]) // 1000


def show(result: dict[str, Any]) -> None:
    say(f"{result['accounts']:,} accounts, {result['cores']} cores; seconds: {result['seconds']}")
    for table, text in result["disk"].items():
        say(f"{table}: {text}")
    say(f"memory of the engine: {result['engine MB']} MB")
    say(f"{'ms: p50 p95 p99':20}{'one client':>22}{'eight clients':>24}{'FTS5':>22}   rows, MB, statements of a search")
    for kind in (*result["read"], "all"):
        columns = [result["one"][kind], result["eight"][kind], result["fts5"].get(kind, [])]
        texts = ["".join(f"{value:8.1f}" for value in column).rjust(24) for column in columns]
        read = result["read"].get(kind)
        end = f"   {read['rows']:,.0f}, {read['MB']:.0f}, {read['statements']:.1f}" if read else ""
        say(f"{kind:18}{''.join(texts)}{end}")


def say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
