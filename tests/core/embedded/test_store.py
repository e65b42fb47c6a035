"""What both stores do alike: one directory, one process, ports, logs, a clean end."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import stat
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from atsite.core.embedded import DataDirectoryInUse, PortTaken, StoreFailed, ports
from atsite.core.embedded.child import Child
from tests.core.embedded.probes import processes_naming
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from atsite.core.embedded.store import EmbeddedStore


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which someone else listens."""
    with closing(socket.create_server((ports.LOOPBACK, ports.free_port()))) as server:
        yield server.getsockname()[1]


def ports_of(store: EmbeddedStore[Any]) -> set[int]:
    """The ports in the store's address."""
    return {value for name, value in vars(store.address).items() if name.endswith("port")}


def test_a_stopped_store_ends_with_exit_code_zero_and_leaves_no_process(store: EmbeddedStore[Any]) -> None:
    store.start()
    assert processes_naming(str(store.root)) != []
    assert store.stop() == 0
    until(lambda: processes_naming(str(store.root)) == [])
    assert [ports.is_free(port) for port in ports_of(store)] == [True] * len(ports_of(store))


def test_a_second_start_on_the_same_directory_is_refused_and_names_the_first(store: EmbeddedStore[Any]) -> None:
    store.start()
    second = type(store)(store.root)
    with pytest.raises(DataDirectoryInUse) as refused:
        second.start()
    assert str(refused.value) == (
        f"{store.root} is in use: {store.name} runs on it as process {store.pid}."
        " Stop that one first, or choose another directory."
    )
    assert store.is_running


def test_the_directory_is_free_again_after_kill_9(store: EmbeddedStore[Any]) -> None:
    store.start()
    assert store.pid is not None
    os.kill(store.pid, signal.SIGKILL)
    until(lambda: not store.is_running)
    second = type(store)(store.root)
    with second:
        assert second.is_running
    assert store.exit_code == -signal.SIGKILL


def test_one_object_starts_only_once(store: EmbeddedStore[Any]) -> None:
    store.start()
    with pytest.raises(StoreFailed, match="was started already"):
        store.start()
    assert store.is_running


def test_a_store_that_never_started_has_no_address_and_stops_without_a_word(store: EmbeddedStore[Any]) -> None:
    with pytest.raises(StoreFailed, match="was not started"):
        _ = store.address
    assert (store.pid, store.exit_code, store.stop()) == (None, None, 0)


def test_the_next_start_has_the_ports_and_the_password_of_the_last(store: EmbeddedStore[Any]) -> None:
    first = store.start()
    store.stop()
    second = type(store)(store.root)
    with second:
        assert second.address == first


def test_a_remembered_port_that_is_taken_gives_way_to_a_free_one(store: EmbeddedStore[Any]) -> None:
    store.start()
    before = ports_of(store)
    store.stop()
    with closing(socket.create_server((ports.LOOPBACK, min(before)))):
        store.start()
        assert min(before) not in ports_of(store)


def test_unreadable_remembered_ports_are_forgotten(store: EmbeddedStore[Any]) -> None:
    store.start()
    store.stop()
    (store.root / "etc" / "ports.json").write_text('{"port": "many", "tcp')
    store.start()
    assert store.is_running


def test_a_free_port_lost_between_choosing_and_listening_is_chosen_anew(
    store: EmbeddedStore[Any], taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices: list[dict[str, int]] = []

    def choose_badly_once(wishes: tuple[ports.PortWish, ...]) -> dict[str, int]:
        chosen = choose(wishes)
        choices.append(chosen if choices else {**chosen, wishes[0].name: taken_port})
        return choices[-1]

    choose: Callable[[tuple[ports.PortWish, ...]], dict[str, int]] = ports.choose
    monkeypatch.setattr(ports, "choose", choose_badly_once)
    store.start()
    assert len(choices) == 2
    assert ports_of(store) == set(choices[1].values())


def test_a_restart_on_a_port_that_is_taken_says_so(store: EmbeddedStore[Any]) -> None:
    store.start()
    port = min(ports_of(store))
    store.kill()
    with closing(socket.create_server((ports.LOOPBACK, port))), pytest.raises(PortTaken, match=f"Port {port} of"):
        store.restart()
    store.restart()
    assert port in ports_of(store)


def test_every_file_is_for_its_owner_only(store: EmbeddedStore[Any]) -> None:
    (store.root / "data").mkdir(parents=True)
    (store.root / "data" / "copied").touch(0o644)  # by an older version, or from elsewhere
    store.start()
    store.stop()
    everything = [store.root, *store.root.rglob("*")]
    assert [path for path in everything if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_a_full_disk_is_named_before_anything_starts(
    store: EmbeddedStore[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", full_disk)
    with pytest.raises(StoreFailed) as failed:
        store.start()
    assert str(failed.value) == (
        f"The disk of {store.root} is full (5 MB free): {store.name} needs at least 64 MB to start."
        " Make room, or choose a directory on another disk."
    )


def full_disk(_path: object) -> DiskUsage:
    return DiskUsage(total=10**9, used=995 * 10**6, free=5 * 10**6)


def test_a_disk_that_is_full_while_it_is_prepared_is_named(
    store: EmbeddedStore[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atsite.core.embedded.files.write_private", no_space)
    with pytest.raises(StoreFailed) as failed:
        store.start()
    assert str(failed.value) == f"{store.name} cannot use {store.root}: No space left on device."


def no_space(_path: object, _text: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(
    store: EmbeddedStore[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_command", failing_command)
    with pytest.raises(StoreFailed) as failed:
        store.start()
    assert str(failed.value) == (
        f"{store.name} ended with exit code 7 before it answered; its log is in {store.root / 'log'}."
        " Its last output: broken on purpose"
    )


def failing_command() -> list[str]:
    return ["/bin/sh", "-c", "echo broken on purpose; exit 7"]


def test_a_store_that_never_answers_is_ended_and_reported(
    store: EmbeddedStore[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    spawned: list[Child] = []

    def spawn_and_keep(*args: Any, **kwargs: Any) -> Child:
        spawned.append(spawn(*args, **kwargs))
        return spawned[-1]

    spawn = Child.spawn
    monkeypatch.setattr(Child, "spawn", spawn_and_keep)
    monkeypatch.setattr("atsite.core.embedded.store.START_TIMEOUT", 0.1)
    monkeypatch.setattr(store, "_answers", never)
    with pytest.raises(StoreFailed, match=r"did not answer within 0 s after its start; its log is in"):
        store.start()
    assert [child.process.returncode for child in spawned] == [-signal.SIGKILL]


def never(_address: object) -> bool:
    return False
