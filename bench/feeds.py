"""Measures how many pages per second the feed generator answers, and how long its readers wait at a fixed rate.

    ./just bench feeds [--seconds N] [--only one,search,crowds,workers,rate]

A real feed generator on real stores with a simulated network; a separate process (bench.http_load) makes the load over
keep-alive connections. The parts:

one      one worker, as fast as it answers. In the same run: Django with a view that returns a constant page, and
         django-ninja with the same parameters and a constant page, on the same server.
search   feeds made of a search beside a hot feed: pages of the tail, and pages from the index where there is no tail.
crowds   200 feeds of 1,000 posts, and 10,000 readers with a ranking of 500 posts of their own; memory of the process.
workers  two workers.
rate     500 pages per second (70 % hot, 20 % hot with a token, 10 % private) while the indexer takes 2,000 events per
         second beside it. Times count from the moment at which a request was due.

Prints a table; writes .data/bench/feeds.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench import crowds
from bench.indexer import BASE, MANAGE, cpu_of, keep
from bench.measured_site import (
    CONNECTIONS,
    LIMIT,
    MeasuredSite,
    ask,
    measured_site,
    request,
    request_path,
    serving,
    tokens,
    tree,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric import ec

PARTS: Final = ("one", "search", "crowds", "workers", "rate")
WARM_SECONDS: Final = 1.0
#: Pages and events per second, and connections, of the fixed rate; ten requests in their order.
RATE, EVENTS_RATE, RATE_CONNECTIONS = 500, 2_000, 64
HOT, SIGNED, PRIVATE = "hot, anonymous", "hot, ES256K each", "private label, ES256K each"
ORDER: Final = [HOT, HOT, SIGNED, HOT, HOT, PRIVATE, HOT, SIGNED, HOT, HOT]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--only", type=lambda text: text.split(","), default=PARTS, help="parts, with commas between")
    arguments = parser.parse_args()
    with measured_site() as site:
        bench = Bench(site, arguments.seconds)
        parts = {
            "one": bench.one_worker,
            "search": bench.search,
            "crowds": bench.crowds,
            "workers": bench.two_workers,
            "rate": bench.at_rate,
        }
        rows = [row for part in PARTS if part in arguments.only for row in parts[part]()]
    bare = next((row["pages_per_second"] for row in rows if row["request"].startswith("bare Django")), None)
    for row in rows:
        is_limit = bare and "rate" not in row  # a fixed rate says nothing of what is possible
        row["share_of_bare"] = round(row["pages_per_second"] / bare, 2) if is_limit else None
    result = {"world": site.world, "cores": os.cpu_count(), "limit": LIMIT, "connections": CONNECTIONS, "rows": rows}
    show(result)
    keep("feeds", result)


class Bench:
    """The measurements of one site; each gives rows of the table."""

    def __init__(self, site: MeasuredSite, seconds: float) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        from tests.tokens import key

        self.site = site
        self.seconds = seconds
        self.k256, self.p256 = key(5), key(5, ec.SECP256R1())

    def one_worker(self) -> list[dict[str, Any]]:
        page = self.site.folder / "page.json"
        with self.feedgen() as (port, pid):
            page.write_bytes(ask(port, request_path("whats-hot"))[1])
            rows = [
                self.load(HOT, port, pid, [request("whats-hot")]),
                self.load("hot, anonymous, page 10", port, pid, [request("whats-hot", cursor=cursor_of(port, 10))]),
                self.load(SIGNED, port, pid, self.signed(port, self.k256, "whats-hot")),
                self.load("hot, ES256 each", port, pid, self.signed(port, self.p256, "whats-hot")),
                self.load(PRIVATE, port, pid, self.signed(port, self.k256, "a-mpls")),
                self.load("unknown feed", port, pid, [request("unknown")], status="400"),
            ]
        for name, application in (("django-ninja", "ninja_page"), ("bare Django", "bare_django")):
            granian = [
                sys.executable,
                "-m",
                "granian",
                "--interface",
                "asgi",
                "--http",
                "1",
                "--no-access-log",
                "--no-ws",
            ]
            command = [*granian, "--log-level", "warning", "--workers", "1", f"bench.{application}:application"]
            with serving(command, self.site.folder, BENCH_PAGE=str(page)) as (port, pid):
                rows.insert(0, self.load(f"{name}, a constant page", port, pid, [request("whats-hot")]))
        return rows

    def search(self) -> list[dict[str, Any]]:
        crowds.search_feeds()
        with self.feedgen() as (port, pid):
            tailed, bare = crowds.SEARCHES
            ask(port, request_path(tailed))
            crowds.renew_tails()
            rows = [
                self.load(f"beside it: {HOT}", port, pid, [request("whats-hot")]),
                self.load("search, page 1 of the tail", port, pid, [request(tailed)]),
            ]
            cursor = cursor_of(port, 10, tailed)
            crowds.renew_tails()
            return [
                *rows,
                self.load("search, page 10 of the tail", port, pid, [request(tailed, cursor=cursor)]),
                self.load("search, page 1 from the index", port, pid, [request(bare)]),
            ]

    def crowds(self) -> list[dict[str, Any]]:
        feeds, own = crowds.many_feeds(), crowds.own_rankings(self.k256)
        with self.feedgen() as (port, pid):
            before = memory(pid)
            every_feed = [request(feed) for feed in feeds]
            return [
                self.load("200 feeds, anonymous", port, pid, every_feed),
                self.load("10,000 own rankings, first time", port, pid, own, whole=True),
                self.load("10,000 own rankings, again", port, pid, own),
                {
                    **self.load("200 feeds beside them", port, pid, every_feed),
                    "memory_mb": {"before": before, "after": memory(pid)},
                },
            ]

    def two_workers(self) -> list[dict[str, Any]]:
        with self.feedgen("--workers", "2", METRICS_PORT="0") as (port, pid):
            return [
                self.load(f"2 workers: {HOT}", port, pid, [request("whats-hot")]),
                self.load(f"2 workers: {SIGNED}", port, pid, self.signed(port, self.k256, "whats-hot")),
                self.load(f"2 workers: {PRIVATE}", port, pid, self.signed(port, self.k256, "a-mpls")),
            ]

    def at_rate(self) -> list[dict[str, Any]]:
        rows = []
        for beside in (False, True):
            with self.feedgen() as (port, pid):
                kinds = {
                    HOT: [request("whats-hot")],
                    SIGNED: self.signed(port, self.k256, "whats-hot"),
                    PRIVATE: self.signed(port, self.k256, "a-mpls"),
                }
                job = {"connections": RATE_CONNECTIONS, "rate": RATE, "order": ORDER, "kinds": kinds}
                if beside:
                    with indexing(self.site.folder):
                        answered = self.run(job, port, pid, 4 * self.seconds)
                else:
                    answered = self.run(job, port, pid, 4 * self.seconds)
            name = f"{RATE}/s beside {EVENTS_RATE:,} events/s" if beside else f"{RATE}/s"
            rows += [{**row, "request": f"{name}: {row['request']}", "rate": RATE} for row in answered]
        return rows

    def feedgen(self, *options: str, **variables: str) -> Any:
        return serving([*MANAGE, "run_feedgen", *options], self.site.folder, **variables)

    def signed(self, port: int, private: ec.EllipticCurvePrivateKey, feed: str) -> list[str]:
        curve = "k" if private is self.k256 else "r"
        return tokens(port, self.site.directory, private, curve, feed)

    def load(
        self, name: str, port: int, pid: int, requests: Sequence[str], *, status: str = "200", whole: bool = False
    ) -> dict[str, Any]:
        """As fast as it answers. `whole`: until each request was sent once, instead of for some seconds."""
        job: dict[str, Any] = {"connections": CONNECTIONS, "kinds": {name: list(requests)}}
        if whole:
            job["times"] = 1
        (row,) = self.run(job, port, pid, self.seconds)
        assert row["statuses"].keys() == {status}, row
        return row

    def run(self, job: dict[str, Any], port: int, server: int, seconds: float) -> list[dict[str, Any]]:
        """One measurement: a row for each kind of request. The CPU includes the warm-up, and is that of all kinds."""
        warm = 0.0 if "times" in job else WARM_SECONDS
        engine = self.site.engine
        before = (sum(map(cpu_of, tree(server))), cpu_of(engine))
        run = subprocess.run(
            [sys.executable, "-m", "bench.http_load"],
            input=json.dumps({**job, "port": port, "warm_seconds": warm, "seconds": seconds}) + "\n",
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            cwd=BASE,
        )
        answer: dict[str, Any] = json.loads(run.stdout)
        after = (sum(map(cpu_of, tree(server))), cpu_of(engine))
        took = answer["seconds"]
        sent = sum(kind["requests"] for kind in answer["kinds"].values()) * (took + warm) / took
        cpu = {
            "server": round((after[0] - before[0]) / sent * 1e6),
            "clickhouse": round((after[1] - before[1]) / sent * 1e6),
            "load": round(answer["cpu_seconds"] / sent * 1e6),
        }
        return [
            {"request": kind, "pages_per_second": round(row["requests"] / took), **row, "cpu_us": cpu}
            for kind, row in answer["kinds"].items()
        ]


def cursor_of(port: int, number: int, feed: str = "whats-hot") -> str:
    """The cursor of that page of a feed."""
    cursor = ""
    for _ in range(number - 1):
        cursor = json.loads(ask(port, request_path(feed, cursor))[1])["cursor"]
    return cursor


@contextmanager
def indexing(folder: Path) -> Iterator[None]:
    """An indexer that takes EVENTS_RATE simulated events per second into the same stores."""
    from tests.away import closed_port
    from tests.waiting import until

    port = closed_port()
    simulate = [
        *MANAGE,
        "simulate_jetstream",
        "--port",
        str(port),
        "--rate",
        str(EVENTS_RATE),
        "--sparse",
        "--seed",
        "9",
    ]
    with (folder / "indexing.log").open("wb") as log:
        processes = [subprocess.Popen(simulate, stdout=log, stderr=log)]
        environment = os.environ | {"WS_URL": f"ws://127.0.0.1:{port}/subscribe"}
        try:
            before = rows_stored()
            processes.append(
                subprocess.Popen([*MANAGE, "run_indexer", "--from-live"], env=environment, stdout=log, stderr=log)
            )
            until(lambda: rows_stored() > before + 2 * EVENTS_RATE, (folder / "indexing.log").read_text)
            yield
        finally:
            for process in reversed(processes):
                process.terminate()
                process.wait()


def rows_stored() -> int:
    from atsite.core.clickhouse import door

    return int(door.scalar("SELECT count() FROM repo_records", name="bench.rows"))


def memory(pid: int) -> int:
    """The resident memory of a process and its children in MB."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1]) for each in tree(pid)[1:])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000


def show(result: dict[str, Any]) -> None:
    world = ", ".join(f"{number:,} {name}" for name, number in result["world"].items())
    lines = [
        f"{world}; pages of {LIMIT}, {CONNECTIONS} connections, {result['cores']} cores",
        f"{'':<58}{'pages/s':>9}{'share':>7}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}   CPU µs: server  clickhouse  load",
    ]
    for row in result["rows"]:
        cpu, memory = row["cpu_us"], row.get("memory_mb")
        lines.append(
            f"{row['request']:<58}{row['pages_per_second']:>9,}{row['share_of_bare'] or '':>7}{row['p50_ms']:>9}"
            f"{row['p99_ms']:>9}{row['max_ms']:>9}{cpu['server']:>17}{cpu['clickhouse']:>12}{cpu['load']:>6}"
            + (f"   memory of the worker: {memory['before']} MB, then {memory['after']} MB" if memory else "")
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
