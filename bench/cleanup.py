"""Measures clean-ups: planning a large repo, and how much of the limits the engine uses.

    ./just bench cleanup [--records N] [--posts N] [--only plan|limits]

`plan` writes a repo of 300,000 likes, reposts, posts and gates that all go, and plans it in a new process: seconds, and
how much memory the process allocated at its peak. The goals are 30 s and 200 MB. `whole` is the alternative: all
records in memory at once.
`limits` deletes 33,000 posts with the engine, against a PDS in this process and on a clock that is moved to each due
time. It prints the share of the limits that was used in the fullest hour and in the fullest day. The goals are at least
95 % and never more than 100 %.
Writes .data/bench/cleanup.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.indexer import keep
from bench.repo import in_megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDS: Final = 300_000
POSTS: Final = 33_000
WAYS: Final = ("engine", "whole")
_FIRST_TID: Final = 1_600_000_000_000_000 << 10
_NOW_US: Final = 1_764_500_000_000_000
_CID: Final = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
_OTHER: Final = "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l"
#: How often the memory is looked at (seconds).
_LOOK_SECONDS: Final = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--posts", type=int, default=POSTS)
    parser.add_argument("--only", choices=("plan", "limits"))
    parser.add_argument("--plan", nargs=2, metavar=("FILE", "WAY"), help=argparse.SUPPRESS)
    parser.add_argument("--deletes", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.plan:
        sys.stdout.write(json.dumps(measure(Path(arguments.plan[0]), arguments.plan[1])))
        return
    if arguments.deletes:
        sys.stdout.write(json.dumps(used(arguments.deletes)))
        return
    measured: dict[str, Any] = {}
    if arguments.only != "limits":
        measured |= {"records": arguments.records, "plan": planned(arguments.records)}
    if arguments.only != "plan":
        measured["limits"] = limits(arguments.posts)
    keep("cleanup", measured)


def planned(count: int) -> list[dict[str, Any]]:
    """Prints the table of `plan`; returns its rows."""
    from tests.core.repo.repo_files import car, put_repo

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "repo.car"
        blocks: dict[bytes, bytes] = {}
        file.write_bytes(car(put_repo(blocks, sorted(records(count))), blocks))
        megabytes = file.stat().st_size / 1e6
        rows = [in_a_new_process(file, way) for way in WAYS]
    sys.stdout.write(f"{count:,} records, {megabytes:.0f} MB\n{'':8} {'deletes':>9} {'seconds':>8} {'own MB':>8}\n")
    for row in rows:
        sys.stdout.write(f"{row['way']:8} {row['deletes']:9,} {row['seconds']:8.1f} {row['own_mb']:8.0f}\n")
    return rows


def limits(count: int) -> dict[str, Any]:
    """Prints the use of the limits; returns it."""
    from atsite.management import scratch_clickhouse

    with scratch_clickhouse.scratch_databases() as environment:
        for database in ("default", "clickhouse"):
            scratch_clickhouse.manage("migrate", "--database", database, "--verbosity", "0", environment=environment)
        command = [sys.executable, "-m", "bench.cleanup", "--deletes", str(count)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
    row: dict[str, Any] = json.loads(output.splitlines()[-1])
    sys.stdout.write(
        f"{row['deletes']:,} deletes in {row['hours']:.1f} hours of the clock, {row['seconds']:.0f} s of work\n"
    )
    for name in ("hour", "day"):
        sys.stdout.write(f"{name:5} {row[name]:7,} of {row[f'per_{name}']:7,} points: {row[f'{name}_share']:.1%}\n")
    return row


def used(count: int) -> dict[str, Any]:
    """Delete that many posts in this process; the points in the fullest hour and day."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atsite.settings")
    import django

    django.setup()
    from search.cleanup.engine.point_windows import DAY, HOUR
    from search.cleanup.models import PointsSent
    from tests.search.cleanup.engine.world import a_world, posts

    with tempfile.TemporaryDirectory() as folder, a_world(Path(folder), per_hour=4_000, per_day=30_000) as world:
        world.account.repo.write(posts(count))
        started, began = time.perf_counter(), world.clock.now
        done = world.to_end(world.confirmed("post"), steps=1_000)
        seconds, hours = time.perf_counter() - started, (world.clock.now - began).total_seconds() / 3600
    sent = list(PointsSent.objects.order_by("sent_at").values_list("sent_at", "points"))
    most = {
        name: max(sum(points for at, points in sent if start <= at < start + window) for start, _ in sent)
        for name, window in (("hour", HOUR), ("day", DAY))
    }
    return {
        "deletes": done.records_deleted,
        "hours": hours,
        "seconds": seconds,
        "per_hour": 4_000,
        "per_day": 30_000,
        **most,
        "hour_share": most["hour"] / 4_000,
        "day_share": most["day"] / 30_000,
    }


def records(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """`count` records: of twenty, twelve likes, four reposts, three posts and a gate."""
    from tests.core.repo.repo_files import DID

    for number in range(count):
        rkey = _tid(number - 1 if number % 20 == 19 else number)
        created = {"createdAt": "2021-01-01T00:00:00.000Z"}
        subject = {"uri": _OTHER, "cid": _CID}
        kind = "like" if number % 20 < 12 else "repost" if number % 20 < 16 else "post"
        if number % 20 == 19:
            post = f"at://{DID}/app.bsky.feed.post/{rkey}"
            yield f"app.bsky.feed.threadgate/{rkey}", {"$type": "app.bsky.feed.threadgate", "post": post, **created}
        elif kind == "post":
            yield (
                f"app.bsky.feed.post/{rkey}",
                {"$type": "app.bsky.feed.post", "text": f"{number} words " * 9, **created},
            )
        else:
            name = f"app.bsky.feed.{kind}"
            yield f"{name}/{rkey}", {"$type": name, "subject": subject, **created}


def _tid(number: int) -> str:
    from atsite.core.atproto.tid import int_to_tid

    return str(int_to_tid(_FIRST_TID + (number << 24)))


def in_a_new_process(file: Path, way: str) -> dict[str, Any]:
    """One row of the table."""
    command = [sys.executable, "-m", "bench.cleanup", "--plan", str(file), way]
    row: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return row


def measure(file: Path, way: str) -> dict[str, Any]:
    """Plan the repo in this process, down to the batches that would be stored."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atsite.settings")
    import django

    django.setup()
    from atsite.core.repo import open_repo
    from search.cleanup.engine.batch_items import cut, units_of
    from search.cleanup.engine.planning_step import Records, summary
    from search.cleanup.planning.plan import make_plan
    from search.cleanup.planning.record_types import RecordType
    from search.cleanup.planning.rules import Rules
    from tests.core.repo.repo_files import DID, PUBLIC

    rules = Rules(types=frozenset(RecordType), delete_until_days_ago=30)
    own = in_megabytes("RssAnon")
    with Peak() as peak:
        started = time.perf_counter()
        with open_repo(file, DID, PUBLIC) as repo:
            found = Records(repo) if way == "engine" else list(Records(repo))
            plan = make_plan(DID, found, rules, {}, _NOW_US)
        shown = summary(plan)
        batches = sum(1 for _ in cut(units_of(plan), 200))
        seconds = time.perf_counter() - started
    return {"way": way, "deletes": shown["deletes"], "batches": batches, "seconds": seconds, "own_mb": peak.mb - own}


class Peak:
    """The most memory that the process had of its own meanwhile, in MB; a thread looks at it."""

    def __init__(self) -> None:
        self.mb = 0.0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while True:
            self.mb = max(self.mb, in_megabytes("RssAnon"))
            if self._ends.wait(_LOOK_SECONDS):
                return

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ends.set()
        self._thread.join()


if __name__ == "__main__":
    main()
