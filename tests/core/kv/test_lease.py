"""The lease on a real Valkey."""

from __future__ import annotations

import os
import socket
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from atsite.core import kv
from atsite.core.kv.lease import RENEW, Lease, LeaseHeld
from atsite.core.kv.lock import RELEASE
from tests.waiting import until

if TYPE_CHECKING:
    import redis


def test_a_second_holder_is_refused_with_the_name_of_the_first(valkey: redis.Redis) -> None:
    with Lease("indexer").held(wait=0) as first:
        text = f"{socket.gethostname()}:{os.getpid()} already runs as indexer"
        with pytest.raises(LeaseHeld, match=text):
            Lease("indexer").acquire(wait=0)
        assert not first.lost
    with Lease("indexer").held(wait=0) as second:
        assert not second.lost


def test_the_lease_of_a_dead_process_is_waited_for(valkey: redis.Redis) -> None:
    Lease("indexer", seconds=0.3).acquire(wait=0)
    successor = Lease("indexer", seconds=30)
    successor.acquire()
    assert not successor.lost


def test_a_held_lease_outlives_its_own_duration(valkey: redis.Redis) -> None:
    with Lease("indexer", seconds=0.4).held(wait=0) as lease:
        with pytest.raises(LeaseHeld):
            Lease("indexer", seconds=0.4).acquire(wait=1)
        assert not lease.lost


def test_a_lease_survives_that_valkey_comes_back_empty(valkey: redis.Redis) -> None:
    with Lease("indexer", seconds=2).held(wait=0) as lease:
        valkey.flushdb()
        until(lambda: valkey.get(lease.key) == lease.holder.encode())
        assert not lease.lost


def test_a_lease_that_somebody_else_has_is_lost_for_good(valkey: redis.Redis) -> None:
    with Lease("indexer", seconds=2).held(wait=0) as lease:
        valkey.set(lease.key, "other:1:x")
        until(lambda: lease.lost)
        valkey.delete(lease.key)
        assert not lease.renew()
    assert valkey.get(lease.key) is None


def test_leaving_takes_nothing_from_somebody_else(valkey: redis.Redis) -> None:
    with Lease("indexer", seconds=2).held(wait=0) as lease:
        valkey.set(lease.key, "other:1:x")
    assert valkey.get(lease.key) == b"other:1:x"


def test_without_valkey_the_lease_runs_out_by_itself(valkey: redis.Redis) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    lease = Lease("indexer", seconds=0.5)
    lease.acquire(wait=0)
    lease.client = kv.connect(f"redis://127.0.0.1:{port}")
    lease.renew()
    until(lambda: lease.lost)
    lease.release()


def test_a_lease_is_counted_from_before_the_call_whose_answer_took_longer_than_it(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By then Redis may have given it to another process."""
    now, takes = [100.0], [9.9, 10.0]
    lease = Lease("indexer", seconds=10)
    monkeypatch.setattr("atsite.core.kv.lease.time.monotonic", lambda: now[0])
    answer = lease.client.eval

    def late(*arguments: Any) -> Any:
        now[0] += takes.pop(0)
        return answer(*arguments)

    lease.client = cast("redis.Redis", SimpleNamespace(eval=late))
    for lost in (False, True):
        lease.acquire(wait=0)
        assert lease.lost is lost


def test_a_lease_that_another_process_has_is_lost_at_once_and_not_when_it_would_have_ended(
    valkey: redis.Redis,
) -> None:
    lease = Lease("indexer", seconds=60)
    lease.acquire(wait=0)
    valkey.set(lease.key, "other:1:x")
    assert not lease.renew()
    assert lease.lost
    valkey.delete(lease.key)
    assert not lease.renew()
    assert lease.lost
    assert valkey.get(lease.key) is None


def test_a_renewal_in_progress_does_not_take_back_what_is_released(valkey: redis.Redis) -> None:
    renewing, released = threading.Event(), threading.Event()
    lease = Lease("indexer", seconds=0.4)
    answer = lease.client.eval

    def slow(script: str, *arguments: Any) -> Any:
        if script == RENEW and threading.current_thread().name == "lease-indexer":
            renewing.set()
            released.wait(0.2)
        done = answer(script, *arguments)
        if script == RELEASE:
            released.set()
        return done

    lease.client = cast("redis.Redis", SimpleNamespace(eval=slow))
    with lease.held(wait=0):
        assert renewing.wait(30)
    for thread in threading.enumerate():
        if thread.name == "lease-indexer":
            thread.join(30)
    assert valkey.get(lease.key) is None
