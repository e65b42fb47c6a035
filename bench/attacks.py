"""Measures how long normal readers wait while the feed generator is attacked.

    ./just bench attacks [--seconds N] [--each]

One process of the feed generator on real stores with a simulated network. Twenty readers walk a hot feed and a private
one, first alone, then beside forty connections that send forged cursors, junk tokens, tokens of accounts whose hosts
never answer, slow requests, floods of interactions and 1,000 parameters (`tests/doors/attack`). `--each` also measures
each kind of attacker alone. Prints a table; writes .data/bench/attacks.json. The goal is a p99 below a second.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from bench import measured_site as sites
from bench.indexer import MANAGE, keep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.core.identity.network import Network
    from tests.doors.attack.siege import Outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    parser.add_argument("--each", action="store_true", help="also measure each kind of attacker alone")
    arguments = parser.parse_args()
    with sites.measured_site() as site:
        rows = measure(site.folder, site.directory, arguments.seconds, each=arguments.each)
    show(site.world, rows)
    keep("attacks", {"world": site.world, "cores": os.cpu_count(), "rows": rows})


def measure(folder: Path, directory: Network, seconds: float, *, each: bool) -> list[dict[str, Any]]:
    """One row for each measurement and feed."""
    from tests.doors.attack.attackers import KINDS, Target
    from tests.doors.attack.siege import siege
    from tests.tokens import key

    attacks: dict[str, Sequence[str]] = {"no attack": ()}
    if each:
        attacks |= {kind: (kind,) for kind in KINDS}
    attacks["all attackers"] = tuple(KINDS)
    private_key = key(5)
    with sites.serving([*MANAGE, "run_feedgen"], folder) as (port, _):
        members = sites.known_readers(port, directory, private_key, "k")
        hot, private = (sites.address_of(name) for name in ("whats-hot", "a-mpls"))
        target = Target(port, sites.SERVICE, hot, private, private_key, members)
        return [
            row
            for name, kinds in attacks.items()
            for row in rows_of(name, asyncio.run(siege(target, members, seconds=seconds, kinds=kinds)))
        ]


def rows_of(attack: str, outcome: Outcome) -> list[dict[str, Any]]:
    """What the readers of each feed saw, and what the attackers got."""
    seen: Final = {"hot": outcome.readers.hot, "private": outcome.readers.private}
    return [
        {
            "attack": attack,
            "feed": feed,
            "pages": len(pages.seconds),
            "walks": len(pages.walks),
            "statuses": dict(pages.statuses),
            "p50_ms": pages.milliseconds(0.5),
            "p99_ms": pages.milliseconds(0.99),
            "max_ms": pages.milliseconds(1),
            "attackers": {kind: dict(statuses) for kind, statuses in outcome.attackers.items()},
        }
        for feed, pages in seen.items()
    ]


def show(world: dict[str, int], rows: Sequence[dict[str, Any]]) -> None:
    lines = [
        ", ".join(f"{number:,} {name}" for name, number in world.items()) + f"; {os.cpu_count()} cores",
        f"{'attack':<18}{'readers of':<12}{'pages':>7}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}  statuses",
    ]
    lines += [
        f"{row['attack']:<18}{row['feed']:<12}{row['pages']:>7,}{row['p50_ms']:>9}{row['p99_ms']:>9}{row['max_ms']:>9}"
        f"  {_counted(row['statuses'])}"
        for row in rows
    ]
    lines += [f"{kind}: {_counted(statuses)}" for kind, statuses in rows[-1]["attackers"].items()]
    sys.stdout.write("\n".join(lines) + "\n")


def _counted(statuses: dict[int, int]) -> str:
    """For each status how often; 0 is a connection that was closed."""
    return ", ".join(f"{count:,} × {status or 'closed'}" for status, count in sorted(statuses.items()))


if __name__ == "__main__":
    main()
