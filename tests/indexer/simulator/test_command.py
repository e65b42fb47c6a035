from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard
from websockets.sync.client import connect

from tests.indexer.simulator.subscribers import DEADLINE, commit

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]


def start(*arguments: str) -> subprocess.Popen[str]:
    # No server answers at these addresses: the simulator needs no store.
    away = {"CLICKHOUSE_ADDRESS": "127.0.0.1:1", "REDIS_ADDRESS": "127.0.0.1:1"}
    command = [sys.executable, "manage.py", "simulate_jetstream", "--port", "0", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | away, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def simulator(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running command and the address it printed."""
    process = start(*arguments)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"simulated Jetstream at (ws://127\.0\.0\.1:\d+/subscribe)\n", line)
        assert found is not None, line + process.communicate(timeout=DEADLINE)[1]
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def first(url: str, count: int) -> list[bytes]:
    # A client whose queue is full of a replay never reads the answer to its close frame: don't wait for that.
    with connect(url, compression=None, close_timeout=0.1) as websocket:
        return [websocket.recv(timeout=DEADLINE, decode=False) for _ in range(count)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_0_also_with_a_client(number: signal.Signals, tmp_path: Path) -> None:
    recording = tmp_path / "two.jsonl"
    recording.write_bytes(commit(1) + b"\n" + commit(2) + b"\n")
    with simulator("--file", str(recording)) as (process, url), connect(url, compression=None) as websocket:
        assert [websocket.recv(timeout=DEADLINE, decode=False) for _ in range(2)] == [commit(1), commit(2)]
        process.send_signal(number)
        assert process.wait(timeout=DEADLINE) == 0


def test_with_a_state_folder_a_second_start_serves_the_same_past(tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "demo"), "--actors", "40")
    with simulator(*options, "--seed", "9") as (_, url):
        before = first(f"{url}?cursor=0", 400)
    with simulator(*options) as (_, url):
        assert first(f"{url}?cursor=0", 400) == before


def test_with_a_dictionary_it_compresses(tmp_path: Path) -> None:
    recording, dictionary = tmp_path / "two.jsonl", tmp_path / "any.zdict"
    recording.write_bytes(commit(1) + b"\n" + commit(2) + b"\n")
    dictionary.write_bytes(commit(3))
    unpacker = zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(commit(3)))
    with simulator("--file", str(recording), "--dictionary", str(dictionary)) as (_, url):
        packed = first(f"{url}?cursor=0&compress=true", 2)
    assert [unpacker.decompress(frame, max_output_size=10_000) for frame in packed] == [commit(1), commit(2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--file", "missing.jsonl"), "there is no recording at missing.jsonl"),
        (("--dictionary", "missing"), "[Errno 2] No such file or directory: 'missing'"),
        (("--actors", "3"), "a network needs at least 16 actors, not 3"),
    ],
)
def test_what_it_cannot_serve_is_said_in_one_sentence(arguments: tuple[str, str], message: str) -> None:
    process = start(*arguments)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert errors.strip() == f"CommandError: {message}"
