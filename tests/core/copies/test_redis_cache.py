"""Entries in Redis: an older one never replaces a newer one, and none lives longer than its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from redis.exceptions import ConnectionError as RedisConnectionError

from atsite.core.config import config
from atsite.core.copies.errors import Undecidable
from atsite.core.copies.redis_cache import ABSENT, LIFE_SECONDS, Entry, VersionedCache
from atsite.core.kv import quick
from tests.away import redis_away
from tests.waiting import until

if TYPE_CHECKING:
    import redis

pytestmark = pytest.mark.django_db(transaction=True)

CACHE = VersionedCache("tests")
KEY = "atsite:cache:tests:key"
OLD, NEW = Entry(1_700_000_000_000_001, "old"), Entry(1_700_000_000_000_002, "new")
GONE = Entry(1_700_000_000_000_003, None)


def nobody_asks() -> Entry:
    raise AssertionError("the store was asked")


def away() -> Entry:
    raise DatabaseError


@pytest.mark.parametrize("entry", [OLD, ABSENT, GONE, Entry(7, ""), Entry(7, "a+b-c é")])
def test_an_entry_reads_back_as_it_was_written(entry: Entry) -> None:
    assert Entry.decoded(entry.encoded().encode()) == entry


def test_what_was_put_is_found_without_the_store(valkey: redis.Redis) -> None:
    assert CACHE.put("key", OLD)
    assert CACHE.look_up("key", nobody_asks) == OLD


def test_an_older_entry_never_replaces_a_newer_one(valkey: redis.Redis) -> None:
    for entry in (NEW, OLD, ABSENT):
        CACHE.put("key", entry)
    assert CACHE.look_up("key", nobody_asks) == NEW
    CACHE.put("key", GONE)
    CACHE.put("key", NEW)
    assert CACHE.look_up("key", nobody_asks) == GONE


def test_a_look_up_that_finds_no_row_is_remembered_and_gives_way_to_any_row(valkey: redis.Redis) -> None:
    assert CACHE.look_up("key", lambda: ABSENT) == ABSENT
    assert CACHE.look_up("key", nobody_asks) == ABSENT
    CACHE.put("key", OLD)
    assert CACHE.look_up("key", nobody_asks) == OLD


def test_a_reader_that_loaded_the_old_row_gets_and_leaves_the_change(valkey: redis.Redis) -> None:
    def load() -> Entry:
        CACHE.put("key", GONE)  # the change commits while this reader is at work
        return OLD

    assert CACHE.look_up("key", load) == GONE
    assert CACHE.look_up("key", nobody_asks) == GONE


def test_a_reader_so_slow_that_the_change_has_ended_leaves_nothing(valkey: redis.Redis) -> None:
    seconds, micros = valkey.time()
    began = seconds * 1000 + micros // 1000 - LIFE_SECONDS * 1000
    CACHE._put("key", OLD, ends=began + LIFE_SECONDS * 1000)
    assert valkey.get(KEY) is None


def test_entries_end_within_their_life_counted_from_the_beginning_of_the_reading(valkey: redis.Redis) -> None:
    CACHE.put("key", OLD)
    left = valkey.pttl(KEY)
    assert isinstance(left, int)
    assert 0 < left <= LIFE_SECONDS * 1000
    ends = valkey.pexpiretime(KEY)

    def load() -> Entry:
        CACHE.put("other", OLD)
        written = valkey.time()
        until(lambda: valkey.time() > (written[0], written[1] + 5_000))
        return OLD

    CACHE.look_up("slow", load)
    slow, other = valkey.pexpiretime("atsite:cache:tests:slow"), valkey.pexpiretime("atsite:cache:tests:other")
    assert ends <= slow <= other


def test_with_redis_away_the_store_decides(valkey: redis.Redis) -> None:
    with redis_away():
        assert CACHE.look_up("key", lambda: NEW) == NEW
        assert not CACHE.put("key", NEW)


def test_with_the_store_away_entries_decide_and_then_nothing_does(valkey: redis.Redis) -> None:
    CACHE.put("key", NEW)
    assert CACHE.look_up("key", away) == NEW
    with pytest.raises(Undecidable):
        CACHE.look_up("other", away)
    with redis_away(), pytest.raises(Undecidable):
        CACHE.look_up("key", away)


def test_a_change_is_written_even_to_a_redis_that_failed_a_moment_ago(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In that pause readers do without Redis, but a removed member must not stay one for the life of an entry."""
    asking = quick.Asking(config.redis_url)
    monkeypatch.setattr(quick, "_asking", lambda url: asking)

    def fails(client: redis.Redis) -> None:
        raise RedisConnectionError

    with pytest.raises(quick.RedisAway):
        asking.ask(fails)
    with pytest.raises(quick.RedisAway):
        asking.ask(lambda client: client.ping())
    assert CACHE.put("key", GONE)
    assert valkey.get(KEY) == GONE.encoded().encode()


def test_what_an_open_transaction_reads_is_not_shared(valkey: redis.Redis) -> None:
    with transaction.atomic():
        assert CACHE.look_up("key", lambda: NEW) == NEW
    assert valkey.get(KEY) is None


def test_a_connection_that_was_lost_while_idle_is_replaced_once(valkey: redis.Redis) -> None:
    failures = [OperationalError("the server closed the connection"), OperationalError("again")]

    def load() -> Entry:
        if failures:
            raise failures.pop()
        return NEW

    connection.ensure_connection()
    with pytest.raises(Undecidable):
        CACHE.look_up("key", load)
    failures[:] = [OperationalError("the server closed the connection")]
    connection.ensure_connection()
    assert CACHE.look_up("key", load) == NEW
