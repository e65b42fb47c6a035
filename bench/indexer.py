"""Measures how many events per second the indexer stores durably, and the limit.

    ./just bench indexer [--events N] [--file FILE] [--times N]

The whole pipeline: a simulated Jetstream in a separate process, a real socket, `manage.py run_indexer`, and a real
ClickHouse with every view of the schema. In the same run it measures plain inserts of the same rows in the same blocks
through the same client: the limit. Prints a table; writes .data/bench/indexer.json.

The file is played several times, each time shifted in time (other records, the same mix). In a run of a few seconds the
first batch, while ClickHouse waits, and the last, while the indexer waits, would be a tenth of the time, and there
would be no merges yet, which are half of ClickHouse's work.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zstandard

from atsite.core.embedded import EmbeddedClickHouse, EmbeddedValkey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from atsite.core.embedded import ClickHouseAddress

BASE = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, str(BASE / "manage.py")]
RECORDED = "jetstream/firehose-10min.jsonl.zst"
DATABASE = "atsite_bench"
#: Before every event of either file.
FROM = "1700000000000000"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=371_500)
    parser.add_argument("--file", type=Path, help="a .jsonl.zst of Jetstream v1 events")
    parser.add_argument("--times", type=int, default=6, help="how often the events come, each time later")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atsite-bench-")))
        file = arguments.file or recorded() or synthetic(folder / "synthetic.jsonl.zst", arguments.events)
        played = longer(file, folder / "played.jsonl.zst", arguments.events, arguments.times)
        engine = stack.enter_context(stores(folder))
        began = cpu_of(engine)
        limit, rows = insert_alone(played)
        engine_alone = cpu_of(engine) - began
        whole = run_indexer(played, rows, engine)
    result = {
        "file": file.name,
        "events": rows,
        "cores": os.cpu_count(),
        "events_per_second": round(whole["events"] / whole["seconds"]),
        "limit_events_per_second": round(rows / limit),
        "share_of_limit": round(limit / whole["seconds"], 2),
        "cpu_us_per_event": {
            name: round(whole[name] / rows * 1e6, 1) for name in ("indexer", "clickhouse", "jetstream")
        },
        "limit_clickhouse_cpu_us_per_event": round(engine_alone / rows * 1e6, 1),
    }
    show(result)
    keep("indexer", result)


def keep(name: str, result: dict[str, Any]) -> None:
    """Write the result of a benchmark to .data/bench/NAME.json."""
    target = BASE / ".data" / "bench" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def recorded() -> Path | None:
    """The recorded ten minutes, if the data is available."""
    file = Path(os.environ.get("ATSITE_TEST_DATA") or BASE.parent / "shared" / "data") / RECORDED
    return file if file.is_file() else None


def synthetic(file: Path, events: int) -> Path:
    """A stream with the mix of the recorded one: posts, likes, reposts and follows."""
    from tests.indexer.synthetic import mixed

    with zstandard.open(file, "wb") as target:
        for frame in mixed(events):
            target.write(frame + b"\n")
    return file


def longer(file: Path, target: Path, events: int, times: int) -> Path:
    """The first `events` of a file `times` times, each time shifted by their length."""
    from indexer.simulator.serving.recorded_source import extent_of
    from indexer.simulator.serving.time_shift import shift_event

    extent = extent_of(file)
    length = (extent.last_us - extent.first_us) // 1_000_000 + 1
    with zstandard.open(target, "wb") as played:
        for number in range(times):
            with zstandard.open(file, "rb") as source:
                for line in islice(io.BufferedReader(source), events):
                    played.write(shift_event(line.rstrip(b"\n"), number * length) + b"\n" if number else line)
    return target


@contextmanager
def stores(folder: Path) -> Iterator[int]:
    """Empty embedded stores with the schema, for this process and its children; yields the engine's process id."""
    with (
        EmbeddedClickHouse(folder / "clickhouse", database=DATABASE) as clickhouse,
        EmbeddedValkey(folder / "valkey") as valkey,
    ):
        configure(folder, clickhouse.address, valkey.address.url(0))
        for database in ("default", "clickhouse"):
            subprocess.run([*MANAGE, "migrate", "--verbosity", "0", "--database", database], check=True)
        assert clickhouse.pid is not None
        yield clickhouse.pid


def configure(folder: Path, clickhouse: ClickHouseAddress, redis_url: str) -> None:
    """Set the stores in the environment, which the configuration reads at the first import."""
    os.environ.update(
        ATSITE_ENVIRONMENT="test",
        DATA_DIR=str(folder),
        CLICKHOUSE_ADDRESS=f"{clickhouse.host}:{clickhouse.tcp_port}",
        CLICKHOUSE_USERNAME=clickhouse.user,
        CLICKHOUSE_PASSWORD=clickhouse.password,
        CLICKHOUSE_DATABASE=DATABASE,
        REDIS_ADDRESS=redis_url,
        DJANGO_SETTINGS_MODULE="atsite.settings",
        METRICS_PORT="0",
        MIN_FREE_DISK="0",
    )


def cpu_of(pid: int) -> float:
    """The CPU seconds of a process (0 without /proc)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def insert_alone(file: Path) -> tuple[float, int]:
    """The seconds to insert the file's rows, prepared in the sink's blocks, and the number of events."""
    from atsite.core.clickhouse import door
    from indexer.index import records
    from indexer.stream.batch import Batcher, Limits
    from indexer.stream.decode import decode

    batcher = Batcher(Limits())
    blocks: list[tuple[str, Any]] = []
    number = seconds = 0.0

    def flush() -> float:
        batch = batcher.take()
        blocks.append(("actor_accounts", records.actor_accounts(batch.accounts)))
        named = [event for event in batch.identities if event.handle]
        unnamed = [event for event in batch.identities if not event.handle]
        blocks.append(("actor_identities", records.actor_identities(named)))
        blocks.append(("identity_changes", records.identity_changes(unnamed)))
        blocks.append(("repo_records", records.repo_records(batch.records)))
        began = time.perf_counter()
        for table, columns in blocks:
            door.insert(table, columns, name=f"bench.{table}")
        blocks.clear()
        return time.perf_counter() - began

    with zstandard.open(file, "rb") as source:
        for line in io.BufferedReader(source):
            number += 1
            batcher.add(decode(line), len(line), 0.0)
            if batcher.is_full:
                seconds += flush()
    seconds += flush()
    tables = door.column(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
        " AND name != 'django_migrations' AND total_rows != 0",
        name="bench.tables",
    )
    for table in tables:
        door.execute(f"TRUNCATE TABLE `{table}`", name="bench.truncate")
    return seconds, int(number)


def run_indexer(file: Path, events: int, engine: int) -> dict[str, float]:
    """The whole pipeline, measured by the indexer from its first event to its last checkpoint."""
    with simulator(file) as (url, jetstream):
        engine_before, jetstream_before = cpu_of(engine), cpu_of(jetstream)
        run = subprocess.run(
            [*MANAGE, "run_indexer", "--from", FROM, "--max-events", str(events)],
            env=os.environ | {"WS_URL": url},
            stdout=subprocess.PIPE,
            check=True,
            text=True,
        )
        engine_cpu, jetstream_cpu = cpu_of(engine) - engine_before, cpu_of(jetstream) - jetstream_before
    found = re.search(r"indexed (\d+) events in ([\d.]+) s \(([\d.]+) s of CPU\)", run.stdout)
    assert found is not None, run.stdout
    return {
        "events": float(found[1]),
        "seconds": float(found[2]),
        "indexer": float(found[3]),
        "clickhouse": engine_cpu,
        "jetstream": jetstream_cpu,
    }


@contextmanager
def simulator(file: Path) -> Iterator[tuple[str, int]]:
    """A Jetstream that plays the file as fast as it is read; yields its address and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*MANAGE, "simulate_jetstream", "--file", str(file), "--speed", "max", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, "the simulator did not start"
                time.sleep(0.05)
        yield f"ws://127.0.0.1:{port}/subscribe", process.pid
    finally:
        process.terminate()
        process.wait()


def show(result: dict[str, Any]) -> None:
    width = max(map(len, result))
    sys.stdout.writelines(f"{name:<{width}}  {value}\n" for name, value in result.items())


if __name__ == "__main__":
    main()
