"""Django's cache is this project's Redis, through the one client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache, caches
from django_redis import get_redis_connection

from atsite.core import kv
from atsite.core.kv.django_cache import CACHE_AWAY

if TYPE_CHECKING:
    import redis


def test_what_is_cached_is_json_under_this_projects_prefix(valkey: redis.Redis) -> None:
    cache.set("word", {"n": 1}, timeout=60)
    assert list(valkey.scan_iter()) == [f"{kv.PREFIX}1:word".encode()]
    assert json.loads(valkey.get(f"{kv.PREFIX}1:word") or "") == {"n": 1}
    assert 0 < valkey.ttl(f"{kv.PREFIX}1:word") <= 60
    assert cache.get("word") == {"n": 1}


def test_a_pickle_is_never_read(valkey: redis.Redis) -> None:
    valkey.set(cache.make_key("word"), b"\x80\x04N.")
    with pytest.raises(ValueError, match="decode"):
        cache.get("word")


def test_it_shares_the_client_and_leaves_its_connections_open(valkey: redis.Redis) -> None:
    assert get_redis_connection("default") is kv.client()
    caches["default"].close()
    assert kv.client().ping()


def test_a_redis_that_is_away_is_told_as_one_kind_of_error(monkeypatch: pytest.MonkeyPatch) -> None:
    away = kv.connect("redis://127.0.0.1:1/0")
    monkeypatch.setattr(kv, "client", lambda: away)
    unconnected = caches.create_connection("default")
    for call in (lambda: unconnected.get("word"), lambda: unconnected.set("word", 1)):
        with pytest.raises(CACHE_AWAY):
            call()
