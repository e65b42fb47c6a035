"""The embedded Valkey, through its real port."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
import redis

from atsite.core.embedded import EmbeddedValkey, EngineMissing, PortTaken, ValkeyAddress, ports, valkey
from tests.core.embedded.probes import processes_naming, valkey_client
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path


def test_it_starts_on_a_given_port(tmp_path: Path) -> None:
    port = ports.free_port()
    with EmbeddedValkey(tmp_path, port=port) as store, valkey_client(store.address) as client:
        assert store.address.port == port
        assert client.ping() is True


def test_it_starts_in_a_directory_whose_name_needs_quoting(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "a \"b\" \\ 'c'") as store, valkey_client(store.address) as client:
        assert client.ping() is True


def test_a_port_that_is_taken_is_refused_with_its_number(tmp_path: Path, valkey_store: EmbeddedValkey) -> None:
    port = valkey_store.start().port
    with pytest.raises(PortTaken) as refused:
        EmbeddedValkey(tmp_path / "other", port=port).start()
    assert str(refused.value) == (
        f"Port {port} of 127.0.0.1 is taken by another process: stop that one, or ask for another port (0: any)."
    )


def test_nobody_gets_in_without_the_password(valkey_store: EmbeddedValkey) -> None:
    address = valkey_store.start()
    for password in ("", "wrong"):
        intruder = ValkeyAddress(address.host, address.port, password)
        with valkey_client(intruder) as client, pytest.raises(redis.exceptions.AuthenticationError):
            client.ping()


def test_the_password_is_in_no_command_line_and_no_representation(valkey_store: EmbeddedValkey) -> None:
    address = valkey_store.start()
    assert processes_naming(address.password) == []
    assert address.password not in repr(address)


def test_its_address_is_a_url_with_the_database() -> None:
    address = ValkeyAddress("127.0.0.1", 6379, "secret")
    assert address.url() == "redis://:secret@127.0.0.1:6379/0"
    assert address.url(15) == "redis://:secret@127.0.0.1:6379/15"


def test_data_is_kept_between_runs(valkey_store: EmbeddedValkey) -> None:
    with valkey_client(valkey_store.start()) as client:
        client.set("kept", "yes")
    assert valkey_store.stop() == 0
    with valkey_client(valkey_store.start()) as client:
        assert client.get("kept") == b"yes"


def test_acknowledged_writes_survive_kill_9(valkey_store: EmbeddedValkey) -> None:
    address = valkey_store.start()
    with valkey_client(address) as client:
        for number in range(100):
            client.rpush("kept", number)
    assert valkey_store.pid is not None
    os.kill(valkey_store.pid, signal.SIGKILL)
    until(lambda: not valkey_store.is_running)
    valkey_store.restart()
    assert valkey_store.address == address
    with valkey_client(address) as client:
        assert client.lrange("kept", 0, -1) == [str(number).encode() for number in range(100)]


def test_full_means_refused_writes_and_no_lost_keys(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path, max_memory=4_000_000) as store, valkey_client(store.address) as client:
        client.set("first", "kept")
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            fill(client)
        assert client.get("first") == b"kept"


def fill(client: redis.Redis) -> None:
    for number in range(100):
        client.set(f"filler:{number}", b"x" * 100_000)


def test_its_log_is_in_the_directory(valkey_store: EmbeddedValkey) -> None:
    valkey_store.start()
    valkey_store.stop()
    log = (valkey_store.root / "log" / "output.log").read_text()
    assert "Ready to accept connections" in log
    assert "bye bye" in log


def test_the_server_of_the_machine_runs_where_the_wheel_has_none(
    valkey_store: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundled = valkey.server_binary()
    programs = tmp_path / "bin"
    programs.mkdir()
    shutil.copy(bundled, programs / "redis-server")
    monkeypatch.setattr(valkey, "_bundled_binary", nothing)
    monkeypatch.setenv("PATH", str(programs))
    assert valkey.server_binary() == programs / "redis-server"
    with valkey_client(valkey_store.start()) as client:
        assert client.ping() is True
    shutil.copy(bundled, programs / "valkey-server")
    assert valkey.server_binary() == programs / "valkey-server"


def test_no_server_anywhere_is_told_what_to_do(
    valkey_store: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey, "_bundled_binary", nothing)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match=r"^No Valkey server found: .* set REDIS_ADDRESS to a server"):
        valkey_store.start()


def nothing() -> None:
    return None
