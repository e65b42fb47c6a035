"""The Django backend's edges, each as it would cut without atsite.core.clickhouse.backend."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connections, transaction

from atsite.core.clickhouse.backend import WaitingPool, check_time_zone, install
from tests.core.clickhouse.processes import outcomes_of_children
from tests.core.clickhouse.read_models import SampleLike

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("clickhouse"),
]


def number(n: int) -> int:
    with connections["clickhouse"].cursor() as cursor:
        cursor.execute("SELECT %s", [n])
        (row,) = cursor.fetchall()
        return int(row[0])


def shared_pool() -> WaitingPool:
    number(1)
    pool = connections["clickhouse"].connection.pool
    assert isinstance(pool, WaitingPool)
    return pool


def test_forked_children_and_their_parent_ask_at_the_same_time() -> None:
    number(1)

    def work() -> None:
        assert [number(n) for n in range(100)] == list(range(100))

    assert outcomes_of_children(4, work, meanwhile=work) == [0, 0, 0, 0]


def test_more_threads_than_connections_wait_instead_of_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_pool(), "connections_max", 2)

    def in_thread(n: int) -> int:
        return number(n)

    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(in_thread, range(100))) == list(range(100))


def test_who_waits_too_long_gets_an_error_of_django(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = shared_pool()
    monkeypatch.setattr(pool, "connections_max", 1)
    monkeypatch.setattr(pool, "wait_seconds", 0.05)
    with (
        connections["clickhouse"].cursor(),
        pytest.raises(InterfaceError, match=r"all 1 connections were busy for 0\.05 s"),
    ):
        number(1)
    assert number(2) == 2


def outside(work: Callable[[], None]) -> None:
    """Do `work` in a thread, whose connections are outside of the block that pytest-django opens around a test."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(work).result(20)


def test_hooks_of_on_commit_run_at_the_end_of_the_outermost_block() -> None:
    ran: list[str] = []

    def work() -> None:
        with transaction.atomic(using="clickhouse"):
            with transaction.atomic(using="clickhouse"):
                transaction.on_commit(lambda: ran.append("inner"), using="clickhouse")
            transaction.on_commit(lambda: ran.append("outer"), using="clickhouse")
            assert ran == []
        assert ran == ["inner", "outer"]
        transaction.on_commit(lambda: ran.append("none"), using="clickhouse")

    outside(work)
    assert ran == ["inner", "outer", "none"]


def test_hooks_of_a_block_that_failed_neither_run_nor_leak() -> None:
    ran: list[str] = []

    @transaction.atomic(using="clickhouse")
    def fail() -> None:
        transaction.on_commit(lambda: ran.append("failed"), using="clickhouse")
        raise RuntimeError

    def work() -> None:
        with pytest.raises(RuntimeError):
            fail()
        with transaction.atomic(using="clickhouse"):
            transaction.on_commit(lambda: ran.append("next"), using="clickhouse")

    outside(work)
    assert ran == ["next"]


def test_a_connection_that_dies_midway_is_an_error_of_django(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = shared_pool()
    for client in pool._pool:
        client.disconnect()
    number(1)
    client = pool._pool[-1]
    send = client.connection.send_query

    def dying(*args: object, **kwargs: object) -> None:
        send(*args, **kwargs)
        client.connection.socket.shutdown(socket.SHUT_RDWR)

    monkeypatch.setattr(client.connection, "send_query", dying)
    with pytest.raises(OperationalError, match="the connection to ClickHouse was lost"):
        number(1)
    monkeypatch.undo()
    assert number(2) == 2


def test_a_query_that_fails_gives_its_connection_back() -> None:
    pool = shared_pool()
    for _ in range(3):
        with pytest.raises(OperationalError):
            SampleLike.objects.count()  # there is no such table here
    assert pool._used == {}


def test_another_time_zone_is_an_error_at_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_time_zone() == []
    monkeypatch.setattr(settings, "TIME_ZONE", "America/Chicago")
    assert [error.id for error in check_time_zone()] == ["atsite.E102"]


def test_installing_twice_changes_nothing() -> None:
    from clickhouse_backend.driver.connection import Cursor

    before = Cursor.execute
    install()
    assert Cursor.execute is before
