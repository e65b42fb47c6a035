"""Measures time and memory of reading an exported repo.

    ./just bench repo [--records N]

Writes a repo of 300,000 likes, follows and posts, and reads it in new processes: once the keys alone, once the records.
Prints a table; writes .data/bench/repo.json. "Own" memory is what the process allocated. The pages of the file count as
memory of the process too, but the kernel takes them back when it needs them. The goal is a growth below 200 MB.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from atsite.core.atproto.tid import int_to_tid
from atsite.core.repo import open_repo
from bench.indexer import keep

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDS: Final = 300_000
READINGS: Final = ("record_keys", "records")
_FIRST_TID: Final = 1_700_000_000_000_000 << 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--read", nargs=2, metavar=("FILE", "READING"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        sys.stdout.write(json.dumps(measure(Path(arguments.read[0]), arguments.read[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "repo.car"
        write(file, arguments.records)
        rows = [in_a_new_process(file, reading) for reading in READINGS]
        megabytes = file.stat().st_size / 1e6
    sys.stdout.write(f"{arguments.records:,} records, {megabytes:.0f} MB\n")
    sys.stdout.write(f"{'':12} {'seconds':>8} {'of them opening':>16} {'own MB':>8} {'with the file MB':>17}\n")
    for row in rows:
        times = f"{row['seconds']:8.2f} {row['opening']:16.2f}"
        sys.stdout.write(f"{row['reading']:12} {times} {row['own_mb']:8.1f} {row['all_mb']:17.1f}\n")
    keep("repo", {"records": arguments.records, "megabytes": megabytes, "rows": rows})


def write(file: Path, count: int) -> None:
    """A repo as an active account has it."""
    from tests.core.repo.repo_files import car, put_repo

    blocks: dict[bytes, bytes] = {}
    root = put_repo(blocks, records(count))
    file.write_bytes(car(root, blocks))


def records(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """`count` records: of ten, six likes, two follows and two posts."""
    from tests.core.repo.repo_files import DID

    for number in range(count):
        name = int_to_tid(_FIRST_TID + (number << 24))
        subject = {"uri": f"at://{DID}/app.bsky.feed.post/{name}", "cid": f"bafyrei{number:052}"}
        created = {"createdAt": "2026-01-01T00:00:00.000Z"}
        if number % 10 < 6:
            yield f"app.bsky.feed.like/{name}", {"$type": "app.bsky.feed.like", "subject": subject, **created}
        elif number % 10 < 8:
            yield f"app.bsky.graph.follow/{name}", {"$type": "app.bsky.graph.follow", "subject": DID, **created}
        else:
            text = f"{number} words " * 10
            reply = {"root": subject, "parent": subject}
            yield f"app.bsky.feed.post/{name}", {"$type": "app.bsky.feed.post", "text": text, "reply": reply, **created}


def in_a_new_process(file: Path, reading: str) -> dict[str, Any]:
    """One row of the table."""
    command = [sys.executable, "-m", "bench.repo", "--read", str(file), reading]
    row: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return row


def measure(file: Path, reading: str) -> dict[str, Any]:
    """Reads the whole file in this process."""
    from tests.core.repo.repo_files import DID, PUBLIC

    own, everything = memory()
    peak_own = 0.0
    started = time.perf_counter()
    with open_repo(file, DID, PUBLIC) as repo:
        opening = time.perf_counter() - started
        for number, _ in enumerate(getattr(repo, reading)()):
            if number % 10_000 == 0:
                peak_own = max(peak_own, memory()[0])
        seconds = time.perf_counter() - started
        peak_own = max(peak_own, memory()[0])
    return {
        "reading": reading,
        "seconds": seconds,
        "opening": opening,
        "own_mb": peak_own - own,
        "all_mb": in_megabytes("VmHWM") - everything,
    }


def memory() -> tuple[float, float]:
    """Own and all memory of this process now, in MB."""
    return in_megabytes("RssAnon"), in_megabytes("VmRSS")


def in_megabytes(field: str) -> float:
    """A size from Linux's status of this process."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) * 1024 / 1e6


if __name__ == "__main__":
    main()
