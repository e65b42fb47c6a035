"""Connections: bounded, waited for, replaced when they died, never shared with a forked child."""

from __future__ import annotations

import dataclasses
import socket
import traceback
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from atsite.core.clickhouse import door, pool
from atsite.core.clickhouse.errors import SchemaMismatch, TooManyQueries, Unreachable
from atsite.core.clickhouse.pool import Pool
from atsite.core.config import config
from atsite.core.errors import ConfigError
from tests.core.clickhouse.conftest import like_columns
from tests.core.clickhouse.processes import outcomes_of_children

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("clickhouse")

#: Waits for an answer no longer than the call may take.
AT_ONCE = dataclasses.replace(door.READ, max_execution_time=1, answer_grace=0)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """A pool of two connections in the place of the process's."""
    few = Pool(config.clickhouse_database, size=2, wait=20)
    monkeypatch.setattr(pool, "_pool", few)
    yield few
    few.close()


def number(n: int) -> int:
    return int(door.scalar("SELECT {n:UInt32}", {"n": n}, name="tests.number"))


def test_more_callers_than_connections_wait_and_all_are_served(small: Pool) -> None:
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(number, range(100))) == list(range(100))
    assert len(small._idle) <= 2


def test_who_waits_too_long_is_told_so(small: Pool) -> None:
    small.wait = 0.05
    with small.client("a"), small.client("b"), pytest.raises(TooManyQueries) as busy:
        number(1)
    assert (busy.value.code, busy.value.retryable) == (202, True)
    assert str(busy.value) == "tests.number: all 2 connections of this process were busy for 0.05 s (code 202)"
    assert number(1) == 1


def test_a_connection_given_back_wakes_who_waits(small: Pool) -> None:
    taken, release = Event(), Event()

    def hold() -> None:
        with small.client("a"), small.client("b"):
            taken.set()
            release.wait(10)

    holder = Thread(target=hold)
    holder.start()
    assert taken.wait(10)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(number, 5)
        release.set()
        assert waiting.result(10) == 5
    holder.join()


def test_a_connection_is_used_again_and_one_that_saw_an_error_is_not(small: Pool) -> None:
    number(1)
    (first,) = small._idle
    number(2)
    assert small._idle == [first]
    with pytest.raises(SchemaMismatch):
        door.scalar("SELECT nothing", name="tests.nothing")
    assert small._idle == []
    assert not first.connection.connected


def test_a_connection_that_died_idle_is_replaced_for_reads_and_for_inserts(small: Pool, likes: str) -> None:
    def insert() -> int:
        return door.insert(likes, like_columns([("a", "b", "c")]), name="tests.insert")

    def read() -> int:
        return number(1)

    for call in (read, insert):
        number(1)
        (client,) = small._idle
        client.connection.socket.shutdown(socket.SHUT_RDWR)
        assert call() == 1
    assert door.scalar(f"SELECT count() FROM {likes}", name="tests.count") == 1


def test_a_read_whose_connection_dies_midway_is_asked_once_more(small: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    number(1)
    (client,) = small._idle
    send = client.connection.send_query

    def dying(*args: object, **kwargs: object) -> None:
        send(*args, **kwargs)
        client.connection.socket.shutdown(socket.SHUT_RDWR)

    monkeypatch.setattr(client.connection, "send_query", dying)
    assert number(7) == 7


def test_an_insert_whose_connection_dies_midway_is_the_callers_to_repeat(
    small: Pool, likes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number(1)
    (client,) = small._idle
    send = client.connection.send_query

    def dying(*args: object, **kwargs: object) -> None:
        send(*args, **kwargs)
        client.connection.socket.shutdown(socket.SHUT_RDWR)

    monkeypatch.setattr(client.connection, "send_query", dying)
    with pytest.raises(Unreachable) as lost:
        door.insert(likes, like_columns([("a", "b", "c")]), name="tests.insert")
    assert lost.value.retryable
    assert door.insert(likes, like_columns([("a", "b", "c")]), name="tests.insert") == 1


def test_a_refused_connect_is_unreachable_and_names_no_password(monkeypatch: pytest.MonkeyPatch, small: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    password = "very-secret-password"
    elsewhere = dataclasses.replace(config, clickhouse_address=f"127.0.0.1:{port}", clickhouse_password=password)
    monkeypatch.setattr(pool, "config", elsewhere)
    with pytest.raises(Unreachable) as away:
        door.ping()
    assert away.value.retryable
    assert password not in "".join(traceback.format_exception(away.value))


def test_a_server_that_says_nothing_is_unreachable(monkeypatch: pytest.MonkeyPatch, small: Pool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(pool, "config", dataclasses.replace(config, clickhouse_address=address))
        with pytest.raises(Unreachable):
            door.scalar("SELECT 1", name="tests.silent", limits=AT_ONCE)


def test_each_call_waits_for_its_own_time_also_on_a_connection_that_another_one_made(small: Pool) -> None:
    for limits in (door.READ, AT_ONCE, door.TASK):
        door.ping(limits=limits)
        (client,) = small._idle
        waits = (client.connection.send_receive_timeout, client.connection.socket.gettimeout())
        assert waits == (limits.socket_timeout, limits.socket_timeout)


def test_without_an_address_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, small: Pool) -> None:
    monkeypatch.setattr(pool, "config", dataclasses.replace(config, clickhouse_address=""))
    with pytest.raises(ConfigError, match="set CLICKHOUSE_ADDRESS"):
        door.ping()


def test_forked_children_and_their_parent_ask_at_the_same_time(small: Pool) -> None:
    number(1)
    (parents,) = small._idle
    address = parents.connection.socket.getsockname()

    def work() -> None:
        assert [number(n) for n in range(100)] == list(range(100))

    def child() -> None:
        work()
        assert address not in [client.connection.socket.getsockname() for client in small._idle]

    assert outcomes_of_children(4, child, meanwhile=work) == [0, 0, 0, 0]
    assert [client.connection.socket.getsockname() for client in small._idle] == [address]


def test_a_child_forked_while_a_connection_is_in_use_does_not_touch_it(small: Pool) -> None:
    with small.client("parent") as client:
        assert client.execute("SELECT 1") == [(1,)]

        def work() -> None:
            assert number(3) == 3

        assert outcomes_of_children(1, work) == [0]
        assert client.connection.ping()  # unlike a query, this does not connect again


@pytest.mark.parametrize(
    ("address", "host"), [("ch.example:9440", "ch.example"), ("[::1]:9440", "::1"), ("10.0.0.1:9440", "10.0.0.1")]
)
def test_a_server_is_reached_by_name_or_by_address_of_either_kind(
    monkeypatch: pytest.MonkeyPatch, address: str, host: str
) -> None:
    monkeypatch.setattr(pool, "config", dataclasses.replace(config, clickhouse_address=address))
    assert list(pool.connect("x").connection.hosts) == [(host, 9440)]
