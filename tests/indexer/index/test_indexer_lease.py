"""One indexer per site, on a real Valkey: it ends when another takes over, and not because Redis is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from atsite.core import kv
from atsite.core.config import config
from atsite.core.kv.lease import Lease, LeaseHeld
from indexer.index.indexer_lease import SingleIndexer
from tests.away import closed_port
from tests.waiting import until

if TYPE_CHECKING:
    import redis

KEY = "atsite:lease:indexer"
SHORT = 0.4


def raises(single: SingleIndexer) -> bool:
    try:
        single.check()
    except LeaseHeld:
        return True
    return False


def test_an_indexer_whose_lease_another_has_is_told_to_stop_and_takes_nothing_back(valkey: redis.Redis) -> None:
    with SingleIndexer(SHORT).held() as single:
        single.check()
        valkey.set(KEY, "other.example:7:x")
        until(lambda: raises(single))
        with pytest.raises(LeaseHeld, match=r"^other\.example:7 already runs as indexer on this site: stop it first$"):
            single.check()
    assert valkey.get(KEY) == b"other.example:7:x"


def test_a_second_indexer_does_not_start_beside_the_first(valkey: redis.Redis) -> None:
    with Lease("indexer", SHORT).held(wait=0), pytest.raises(LeaseHeld), SingleIndexer(SHORT).held():
        raise AssertionError("it started")


def test_an_indexer_goes_on_without_redis_and_takes_its_lease_when_redis_is_back(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, away = kv.connect(config.redis_url), kv.connect(f"redis://127.0.0.1:{closed_port()}/0")
    monkeypatch.setattr(kv, "connect", lambda url, *, answer_seconds: away)
    single = SingleIndexer(SHORT)
    with single.held():
        single.check()
        assert valkey.get(KEY) is None
        single._client = real
        until(lambda: valkey.get(KEY) is not None)
        single._lease.client = away
        until(lambda: single._lease.client is real)  # it was lost in vain, and taken again
        until(lambda: valkey.get(KEY) is not None)
        single.check()
    assert valkey.get(KEY) is None


def test_its_lease_is_renewed_again_and_again(valkey: redis.Redis) -> None:
    with SingleIndexer(SHORT).held():
        for _ in range(3):
            valkey.delete(KEY)
            until(lambda: valkey.get(KEY) is not None)


def test_while_redis_is_away_it_asks_again_and_again(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    away, asked, acquire = kv.connect(f"redis://127.0.0.1:{closed_port()}/0"), [], Lease.acquire

    def counted(lease: Lease, wait: float | None = None) -> None:
        asked.append(wait)
        acquire(lease, wait)

    monkeypatch.setattr(kv, "connect", lambda url, *, answer_seconds: away)
    monkeypatch.setattr(Lease, "acquire", counted)
    with SingleIndexer(SHORT).held() as single:
        until(lambda: len(asked) >= 3)  # once at the start, and twice in vain
        single.check()
