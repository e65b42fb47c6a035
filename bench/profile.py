"""Tells where the microseconds of a page go, path by path: the figures of docs/performance.md.

    ./just bench profile [--seconds N]

The feed generator runs with a sampler inside (bench.profiled), once for each kind of request. Prints for each the
processor time of a page by thread, and that of the event loop by part of the code; writes .data/bench/profile.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from bench.feeds import HOT, PRIVATE, SIGNED, Bench
from bench.indexer import keep
from bench.measured_site import measured_site, request, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each measurement")
    arguments = parser.parse_args()
    with measured_site() as site:
        bench = Bench(site, arguments.seconds)
        requests: dict[str, Callable[[int], Sequence[str]]] = {
            HOT: lambda port: [request("whats-hot")],
            SIGNED: lambda port: bench.signed(port, bench.k256, "whats-hot"),
            PRIVATE: lambda port: bench.signed(port, bench.k256, "a-mpls"),
        }
        rows = [profiled(bench, name, of) for name, of in requests.items()]
    show(rows)
    keep("profile", {"rows": rows})


def profiled(bench: Bench, name: str, requests: Callable[[int], Sequence[str]]) -> dict[str, Any]:
    """Microseconds of a page by thread, and of the event loop by part."""
    target = bench.site.folder / "profile.json"
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--http", "1", "--no-access-log", "--no-ws"]
    command += ["--log-level", "warning", "--workers", "1", "bench.profiled:application"]
    with serving(command, bench.site.folder, ATSITE_SERVICE="feedgen", BENCH_PROFILE=str(target)) as (port, pid):
        texts = requests(port)
        bench.load(name, port, pid, texts)  # warm
        before = json.loads(target.read_text(encoding="utf-8"))
        row = bench.load(name, port, pid, texts)
        after = json.loads(target.read_text(encoding="utf-8"))
    pages = row["requests"] * (bench.seconds + 1) / bench.seconds
    threads = _difference(before["cpu"], after["cpu"], 1e6 / pages)
    samples = _difference(before["samples"], after["samples"], 1.0)
    share = threads["event loop"] / sum(samples.values())
    loop = {part: count * share for part, count in samples.items()}
    return {"request": name, "pages_per_second": row["pages_per_second"], "threads": threads, "event_loop": loop}


def _difference(before: dict[str, float], after: dict[str, float], factor: float) -> dict[str, float]:
    """What came on between, the largest first."""
    grown = {name: (value - before.get(name, 0)) * factor for name, value in after.items()}
    return dict(sorted(grown.items(), key=lambda item: -item[1]))


def show(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        sys.stdout.write(f"{row['request']}: {row['pages_per_second']:,} pages/s; µs of processor time for each page\n")
        for title, part in (("threads", row["threads"]), ("event loop", row["event_loop"])):
            named = ", ".join(f"{name} {value:.0f}" for name, value in part.items() if value >= 1)
            sys.stdout.write(f"  {title}: {named}\n")


if __name__ == "__main__":
    main()
