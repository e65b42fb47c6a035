"""The lease on a real Valkey."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from atsite.core import kv
from atsite.core.kv.lease import Lease, LeaseHeld
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
