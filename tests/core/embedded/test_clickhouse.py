"""The embedded ClickHouse, through its real ports."""

from __future__ import annotations

import importlib.machinery
import os
import platform
import signal
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from clickhouse_driver.errors import Error, ServerException

from atsite.core.embedded import EmbeddedClickHouse, EngineMissing, PortTaken, StoreFailed, ports
from tests.core.embedded.probes import clickhouse_client, clickhouse_rows
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

AUTHENTICATION_FAILED, TOO_MANY_SESSIONS, MEMORY_LIMIT = 516, 700, 241


def refusal(store: EmbeddedClickHouse, **login: Any) -> int:
    """The error code with which a login is refused."""
    with clickhouse_client(store.address, **login) as client, pytest.raises(ServerException) as refused:
        client.execute("SELECT 1")
    return int(refused.value.code)


def test_it_starts_on_given_ports(tmp_path: Path) -> None:
    tcp_port, http_port = ports.free_port(), ports.free_port()
    with EmbeddedClickHouse(tmp_path, tcp_port=tcp_port, http_port=http_port) as store:
        assert (store.address.tcp_port, store.address.http_port) == (tcp_port, http_port)
        assert clickhouse_rows(store.address, "SELECT 1 + 1") == [(2,)]


def test_it_starts_in_a_directory_whose_name_needs_quoting(tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path / "a <b> & 'c'") as store:
        assert clickhouse_rows(store.address, "SELECT 1") == [(1,)]


def test_it_answers_over_http_like_a_server(clickhouse_store: EmbeddedClickHouse) -> None:
    address = clickhouse_store.start()
    request = urllib.request.Request(
        f"http://{address.host}:{address.http_port}/?query=SELECT+1,'x'",
        headers={"X-ClickHouse-User": address.user, "X-ClickHouse-Key": address.password},
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == b"1\tx\n"


def test_a_port_that_is_taken_is_refused_with_its_number(tmp_path: Path, clickhouse_store: EmbeddedClickHouse) -> None:
    port = clickhouse_store.start().tcp_port
    with pytest.raises(PortTaken) as refused:
        EmbeddedClickHouse(tmp_path / "other", tcp_port=port).start()
    assert str(refused.value) == (
        f"Port {port} of 127.0.0.1 is taken by another process: stop that one, or ask for another port (0: any)."
    )


def test_only_the_app_user_with_its_password_gets_in(clickhouse_store: EmbeddedClickHouse) -> None:
    clickhouse_store.start()
    assert refusal(clickhouse_store, password="wrong") == AUTHENTICATION_FAILED
    assert refusal(clickhouse_store, password="") == AUTHENTICATION_FAILED
    assert refusal(clickhouse_store, user="default", password="") == TOO_MANY_SESSIONS
    assert refusal(clickhouse_store, user="stranger", password="") == AUTHENTICATION_FAILED


def test_the_password_is_in_no_command_line_and_no_representation(clickhouse_store: EmbeddedClickHouse) -> None:
    address = clickhouse_store.start()
    assert address.password not in repr(address)
    assert address.password not in " ".join(clickhouse_store._command())


def test_its_databases_are_on_disk_and_its_time_is_utc(tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path, database="mine") as store:
        databases = "SELECT name, engine FROM system.databases WHERE lower(name) != 'information_schema' ORDER BY name"
        assert clickhouse_rows(store.address, databases) == [
            ("default", "Atomic"),
            ("mine", "Atomic"),
            ("system", "Atomic"),
        ]
        assert clickhouse_rows(store.address, "SELECT currentDatabase(), toTypeName(now()), timezone()") == [
            ("mine", "DateTime", "UTC")
        ]


@pytest.mark.parametrize("name", ["", "a-b", "1a", "a.b", "../a", "a b"])
def test_a_database_name_that_needs_quoting_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreFailed, match="is not a valid database name"):
        EmbeddedClickHouse(tmp_path, database=name)


def test_data_and_query_log_are_kept_between_runs(clickhouse_store: EmbeddedClickHouse) -> None:
    address = clickhouse_store.start()
    clickhouse_rows(address, "CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n")
    clickhouse_rows(address, "INSERT INTO kept SELECT number FROM numbers(1000)")
    assert clickhouse_store.stop() == 0
    address = clickhouse_store.start()
    assert clickhouse_rows(address, "SELECT count(), sum(n) FROM kept") == [(1000, 499500)]
    inserts = "SELECT written_rows FROM system.query_log WHERE type = 'QueryFinish' AND query_kind = 'Insert'"
    assert clickhouse_rows(address, inserts) == [(1000,)]
    assert clickhouse_rows(address, "SELECT rows FROM system.part_log WHERE table = 'kept'") == [(1000,)]


def test_a_stop_with_clients_and_a_running_query_is_clean(clickhouse_store: EmbeddedClickHouse) -> None:
    """Rows in a Buffer table reach the disk only in a clean end."""
    address = clickhouse_store.start()
    clickhouse_rows(address, "CREATE TABLE base (n UInt64) ENGINE = MergeTree ORDER BY n")
    clickhouse_rows(
        address, "CREATE TABLE buffered AS base ENGINE = Buffer('atsite', base, 1, 99, 99, 1000, 1000, 9999, 9999)"
    )
    clickhouse_rows(address, "INSERT INTO buffered SELECT number FROM numbers(10)")
    ended: list[str] = []

    def sleep_in_a_query() -> None:
        try:
            clickhouse_rows(address, "SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1")
        except (Error, EOFError, OSError) as error:
            ended.append(type(error).__name__)

    with clickhouse_client(address) as idle:
        idle.execute("SELECT 1")
        thread = threading.Thread(target=sleep_in_a_query)
        thread.start()
        sleeping = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleepEachRow%'"
        until(lambda: idle.execute(sleeping) == [(1,)])
        assert clickhouse_store.stop() == 0
        thread.join()
    assert len(ended) == 1
    address = clickhouse_store.start()
    assert clickhouse_rows(address, "SELECT count() FROM base") == [(10,)]


def test_acknowledged_rows_survive_kill_9(clickhouse_store: EmbeddedClickHouse) -> None:
    address = clickhouse_store.start()
    clickhouse_rows(address, "CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n")
    with clickhouse_client(address) as client:
        for start in range(0, 1000, 100):
            client.execute(f"INSERT INTO kept SELECT number FROM numbers({start}, 100)")
        assert clickhouse_store.pid is not None
        os.kill(clickhouse_store.pid, signal.SIGKILL)
    until(lambda: not clickhouse_store.is_running)
    clickhouse_store.restart()
    assert clickhouse_store.address == address
    assert clickhouse_rows(address, "SELECT count(), uniqExact(n) FROM kept") == [(1000, 1000)]


def test_a_query_that_wants_too_much_memory_fails_alone(tmp_path: Path) -> None:
    with EmbeddedClickHouse(tmp_path, max_memory=600_000_000) as store:
        with clickhouse_client(store.address) as client, pytest.raises(ServerException) as refused:
            client.execute("SELECT length(groupArray(number)) FROM numbers(100000000)")
        assert refused.value.code == MEMORY_LIMIT
        assert clickhouse_rows(store.address, "SELECT value FROM system.settings WHERE name = 'max_memory_usage'") == [
            ("300000000",)
        ]


def test_its_logs_are_in_the_directory(clickhouse_store: EmbeddedClickHouse) -> None:
    address = clickhouse_store.start()
    clickhouse_store.stop()
    log = (clickhouse_store.root / "log" / "server.log").read_text()
    assert f"Listening for native protocol (tcp): 127.0.0.1:{address.tcp_port}" in log
    assert "<Debug>" not in log
    assert (clickhouse_store.root / "log" / "server.err.log").exists()
    assert (clickhouse_store.root / "log" / "output.log").exists()


def test_a_system_without_glibc_is_told_what_to_do(
    clickhouse_store: EmbeddedClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(platform, "libc_ver", no_glibc)
    with pytest.raises(EngineMissing, match=r"needs glibc, .* set CLICKHOUSE_ADDRESS to a server"):
        clickhouse_store.start()


def no_glibc() -> tuple[str, str]:
    return "", ""


def test_a_missing_wheel_is_named(clickhouse_store: EmbeddedClickHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.machinery.PathFinder, "find_spec", no_package)
    with pytest.raises(EngineMissing, match=r"package chdb-core.* set CLICKHOUSE_ADDRESS to a server"):
        clickhouse_store.start()


def no_package(_name: str) -> None:
    return None
