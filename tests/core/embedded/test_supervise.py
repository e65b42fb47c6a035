"""Both stores together: started, watched, claimed by one purpose, ended with their parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import redis

from atsite.core.embedded import (
    DataDirectoryInUse,
    EmbeddedStores,
    StoreFailed,
    WrongPurpose,
    ports,
    restarts,
    supervise,
)
from tests.core.embedded.probes import DEADLINE_SECONDS, REPOSITORY, clickhouse_rows, processes_naming, valkey_client
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

PARENT = """
import sys
from pathlib import Path
from atsite.core.embedded import EmbeddedStores
stores = EmbeddedStores(Path(sys.argv[1]))
stores.start()
print("ready", flush=True)
sys.stdin.read()
"""


def process_of(store_root: Path) -> int:
    """The id of the store that holds the directory's lock."""
    return int((store_root / "lock").read_text())


@pytest.fixture
def parent(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that runs both stores in tmp_path."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def close(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_both_end_when_their_parent_is_killed(
    parent: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    roots = [str(tmp_path / "clickhouse"), str(tmp_path / "valkey")]
    assert all(processes_naming(root) for root in roots)
    parent.send_signal(number)
    assert parent.wait(DEADLINE_SECONDS) == -number
    close(parent)
    until(lambda: not any(processes_naming(root) for root in roots))
    assert "bye bye" in (tmp_path / "valkey" / "log" / "output.log").read_text()


def test_both_end_when_their_parent_ends_without_stopping_them(parent: subprocess.Popen[str], tmp_path: Path) -> None:
    parent.communicate()
    assert parent.returncode == 0
    close(parent)
    until(lambda: processes_naming(str(tmp_path / "clickhouse")) == processes_naming(str(tmp_path / "valkey")) == [])


def test_the_data_is_usable_after_the_parent_was_killed(parent: subprocess.Popen[str], tmp_path: Path) -> None:
    parent.kill()
    parent.wait()
    close(parent)
    until(lambda: processes_naming(str(tmp_path / "clickhouse")) == processes_naming(str(tmp_path / "valkey")) == [])
    with EmbeddedStores(tmp_path) as stores:
        assert clickhouse_rows(stores.clickhouse, "SELECT 1") == [(1,)]


def test_a_store_that_dies_is_started_again_on_its_ports_with_its_data(tmp_path: Path) -> None:
    reports: list[str] = []
    with EmbeddedStores(tmp_path, report=reports.append) as stores:
        clickhouse, valkey = stores.clickhouse, stores.valkey
        clickhouse_rows(clickhouse, "CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n")
        clickhouse_rows(clickhouse, "INSERT INTO kept VALUES (1)")
        with valkey_client(valkey) as client:
            client.set("kept", "yes")
        for name in ("clickhouse", "valkey"):
            os.kill(process_of(tmp_path / name), signal.SIGKILL)
        until(lambda: len(reports) == 4)
        assert (stores.clickhouse, stores.valkey) == (clickhouse, valkey)
        assert clickhouse_rows(clickhouse, "SELECT n FROM kept") == [(1,)]
        with valkey_client(valkey) as client:
            assert client.get("kept") == b"yes"
        assert sorted(report.splitlines()[0] for report in reports) == [
            "ClickHouse ended by SIGKILL; restarting it in 0.1 s. The end of"
            f" {tmp_path / 'clickhouse' / 'log' / 'output.log'}:",
            f"ClickHouse runs again as process {process_of(tmp_path / 'clickhouse')}.",
            "Valkey ended by SIGKILL; restarting it in 0.1 s. The end of"
            f" {tmp_path / 'valkey' / 'log' / 'output.log'}:",
            f"Valkey runs again as process {process_of(tmp_path / 'valkey')}.",
        ]


def test_a_restart_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarts, "FIRST_PAUSE", 0.5)  # time to take the port away
    monkeypatch.setattr(restarts, "LONGEST_PAUSE", 0.5)
    reports: list[str] = []
    with EmbeddedStores(tmp_path, clickhouse=False, report=reports.append) as stores:
        port = stores.valkey.port
        os.kill(process_of(tmp_path / "valkey"), signal.SIGKILL)
        until(lambda: ports.is_free(port))
        with closing(socket.create_server((ports.LOOPBACK, port))):
            until(lambda: len(reports) == 2)
        assert reports[1].startswith(f"Valkey could not be restarted: Port {port} of 127.0.0.1 is taken")
        until(lambda: reports[-1].startswith("Valkey runs again"))
        with valkey_client(stores.valkey) as client:
            assert client.ping() is True


def test_stopping_ends_the_watch_and_both_stores(tmp_path: Path) -> None:
    reports: list[str] = []
    before = threading.active_count()
    stores = EmbeddedStores(tmp_path, report=reports.append)
    stores.start()
    assert threading.active_count() == before + 2
    address = stores.valkey
    stores.stop()
    assert threading.active_count() == before
    assert reports == []
    with valkey_client(address) as client, pytest.raises(redis.exceptions.ConnectionError):
        client.ping()
    assert ports.is_free(stores.clickhouse.tcp_port)


def test_a_second_start_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with EmbeddedStores(tmp_path, clickhouse=False) as stores:
        with pytest.raises(StoreFailed, match="were started already"):
            stores.start()
        with valkey_client(stores.valkey) as client:
            assert client.ping() is True


def test_clickhouse_is_made_with_what_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Path, dict[str, object]]] = []
    monkeypatch.setattr(supervise, "EmbeddedClickHouse", lambda root, **options: made.append((root, options)))
    EmbeddedStores(tmp_path, valkey=False, database="d", usual_ports=True, port_offset=7, clickhouse_memory=600_000_000)
    options = {"usual_ports": True, "port_offset": 7, "database": "d", "max_memory": 600_000_000}
    assert made == [(tmp_path / "clickhouse", options)]


def test_only_what_was_asked_for_is_started(tmp_path: Path) -> None:
    with EmbeddedStores(tmp_path, clickhouse=False) as stores:
        with pytest.raises(StoreFailed, match="without a ClickHouse"):
            _ = stores.clickhouse
        assert sorted(path.name for path in tmp_path.iterdir()) == ["valkey"]


def test_when_one_cannot_start_none_stays(tmp_path: Path) -> None:
    with (
        EmbeddedStores(tmp_path, clickhouse=False),
        pytest.raises(DataDirectoryInUse, match="Valkey runs on it as process"),
    ):
        EmbeddedStores(tmp_path).start()
    until(lambda: processes_naming(str(tmp_path / "clickhouse")) == [])


def test_a_directory_belongs_to_its_first_purpose(tmp_path: Path) -> None:
    root = tmp_path / "data"
    with EmbeddedStores(root, purpose="demo", clickhouse=False, valkey=False):
        pass
    with pytest.raises(WrongPurpose) as refused:
        EmbeddedStores(root, purpose="up").start()
    assert str(refused.value) == (
        f"{root} holds the data of `demo`, and this is `up`. Give each a directory of its own (DATA_DIR),"
        f" or delete {root} if you do not need its data any more."
    )
    assert sorted(path.name for path in root.iterdir()) == ["purpose"]
    with EmbeddedStores(root, purpose="demo", clickhouse=False, valkey=False):
        pass


def test_it_needs_nothing_but_the_standard_library() -> None:
    """-S: no installed package can be imported."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import atsite.core.embedded"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
