"""What docs/operating.md says to type does what it says."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from atsite.core import kv
from atsite.core.clickhouse import door
from atsite.core.config import BASE_DIR
from atsite.core.embedded.ports import free_port
from indexer.stream import checkpoint_store
from tests.indexer.conftest import index
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.stream_fold import fold, stored
from tests.indexer.synthetic import synthetic

if TYPE_CHECKING:
    from pathlib import Path

    import redis


pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(databases=["default", "clickhouse"]),
]

PAGE = (BASE_DIR / "docs" / "operating.md").read_text(encoding="utf-8")
#: Without deleted accounts, whose rows go with the nightly purge.
STREAM = [frame for frame in synthetic(events=400) if b'"deleted"' not in frame]


def block(name: str) -> str:
    """The commands below the mark of that name, without their indentation."""
    found = re.search(rf"<!-- test: {name} -->\n((?:    .+\n)+)", PAGE)
    assert found is not None, name
    return re.sub(r"^    ", "", found[1], flags=re.MULTILINE)


def run(commands: str, url: str = "ws://127.0.0.1:1/subscribe") -> str:
    """What the shell says."""
    env = os.environ | {"WS_URL": url, "METRICS_PORT": "0", "MIN_FREE_DISK": "0"}
    command = ["bash", "-e", "-c", commands]
    ran = subprocess.run(command, cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_a_recorded_file_is_indexed(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"".join(frame + b"\n" for frame in STREAM))
    commands = block("a recorded file").replace("6008", str(free_port(set())))

    said = run(commands.replace("events.jsonl", str(tmp_path / "events.jsonl")))

    assert f"indexed {len(STREAM)} events" in said
    assert stored() == fold(STREAM)


def test_lost_checkpoints_are_replaced_by_a_time(valkey: redis.Redis) -> None:
    with simulated_jetstream(MemorySource(STREAM)) as jetstream:
        index(jetstream.url, events=100)
        valkey.delete(checkpoint_store.KEY, f"{kv.PREFIX}lease:indexer")
        door.execute("TRUNCATE TABLE indexer_checkpoints", name="tests.truncate")

        typed = block("the checkpoints are lost")
        assert "--run-for 10" in typed
        run(typed.replace("--run-for 10", f"--run-for 100 --max-events {len(STREAM)}"), jetstream.url)

    assert stored() == fold(STREAM)
    assert checkpoint_store.load_clickhouse().checkpoint is not None
