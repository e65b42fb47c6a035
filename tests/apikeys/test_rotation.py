"""A key gets another secret: the old one is good for as long as was chosen, and revoking ends both for good."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from apikeys import keys
from apikeys.check import check
from apikeys.models import ApiKey
from atsite.core.clickhouse import door
from atsite.core.copies import clickhouse_copies, compare_copies
from atsite.core.copies.errors import ChangedMeanwhile
from atsite.core.web.xrpc import XrpcError

if TYPE_CHECKING:
    import redis

    from apikeys.keys import Key

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

DAY = timedelta(days=1)


def stored(key: Key) -> ApiKey:
    row: ApiKey = ApiKey.objects.get(key_id=key.id)
    return row


def rotated(key: Key, overlap: timedelta = DAY) -> Key:
    """The key with its new secret."""
    newer = keys.rotated(key.id)
    stored(key).rotate(newer, overlap=overlap)
    return newer


def verdict(key: Key, *, now: datetime | None = None) -> str:
    """Who calls, or why not."""
    try:
        return check(key.text, now=now).subject
    except XrpcError as error:
        return error.message


UNKNOWN = "this API key is not known"
REVOKED = "this API key was revoked"


def test_the_new_secret_is_good_at_once_and_the_old_one_until_its_moment(reader_key: Key) -> None:
    newer = rotated(reader_key)
    end = stored(reader_key).old_valid_until
    assert end is not None
    assert timedelta(hours=23) < end - datetime.now(UTC) <= DAY
    before = end - timedelta(microseconds=1)
    assert [verdict(key, now=before) for key in (newer, reader_key)] == [reader_key.id] * 2
    assert [verdict(key, now=end) for key in (newer, reader_key)] == [reader_key.id, UNKNOWN]


def test_without_an_overlap_the_old_secret_ends_with_the_rotation(reader_key: Key) -> None:
    newer = rotated(reader_key, timedelta())
    assert [verdict(key) for key in (newer, reader_key)] == [reader_key.id, UNKNOWN]


def test_rotating_again_ends_what_the_first_rotation_left_good(reader_key: Key) -> None:
    second = rotated(reader_key)
    third = rotated(reader_key)
    assert [verdict(key) for key in (reader_key, second, third)] == [UNKNOWN, reader_key.id, reader_key.id]


def test_the_old_secret_can_be_ended_early(reader_key: Key) -> None:
    newer = rotated(reader_key)
    stored(reader_key).end_old_secret()
    assert [verdict(key) for key in (newer, reader_key)] == [reader_key.id, UNKNOWN]


def test_another_secret_is_refused_while_two_are_good(reader_key: Key) -> None:
    rotated(reader_key)
    assert verdict(keys.rotated(reader_key.id)) == UNKNOWN


def test_revoking_ends_both_secrets_and_nothing_that_was_read_before_undoes_it(reader_key: Key) -> None:
    newer = rotated(reader_key)
    stale = stored(reader_key)
    stored(reader_key).revoke()
    assert [verdict(key) for key in (newer, reader_key)] == [REVOKED] * 2
    with pytest.raises(ChangedMeanwhile):
        stale.rotate(keys.rotated(reader_key.id), overlap=DAY)
    stale = stored(reader_key)
    stale.revoked_at = None
    with pytest.raises(ValueError, match="final"):
        stale.rotate(keys.rotated(reader_key.id), overlap=DAY)
    with pytest.raises(ValueError, match="cannot be given that secret"):
        stored(reader_key).rotate(keys.rotated(reader_key.id), overlap=DAY)
    assert [verdict(key) for key in (newer, reader_key)] == [REVOKED] * 2


def test_of_a_rotation_and_a_revocation_at_once_the_revocation_always_stays(reader_key: Key) -> None:
    """Whoever comes second is told, and tries again with what is there: the key ends revoked in every order."""
    newer, ready = keys.rotated(reader_key.id), threading.Barrier(2)

    def rotate() -> None:
        row = stored(reader_key)
        ready.wait(10)
        try:
            row.rotate(newer, overlap=DAY)
        except ChangedMeanwhile:
            return

    def revoke() -> None:
        row = stored(reader_key)
        ready.wait(10)
        try:
            row.revoke()
        except ChangedMeanwhile:
            stored(reader_key).revoke()

    threads = [threading.Thread(target=rotate), threading.Thread(target=revoke)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {verdict(reader_key), verdict(newer)} <= {REVOKED, UNKNOWN}
    assert stored(reader_key).revoked_at is not None


def test_publishing_what_was_late_brings_no_revoked_key_back(reader_key: Key, valkey: redis.Redis) -> None:
    stored(reader_key).revoke()
    clickhouse_copies.every_row(ApiKey).filter(pk=stored(reader_key).pk).update(published_us=0)
    clickhouse_copies.copy_due(ApiKey)
    assert compare_copies.repair(ApiKey) == []
    assert verdict(reader_key) == REVOKED
    revoked = door.column(
        "SELECT revoked_at IS NOT NULL FROM api_keys FINAL WHERE key_id = {id:String}",
        {"id": reader_key.id},
        name="tests.revoked",
    )
    assert list(revoked) == [1]


def test_a_secret_that_was_replaced_cannot_be_made_good_again(reader_key: Key) -> None:
    first = stored(reader_key).secret_hash
    rotated(reader_key, timedelta())
    for changes in ({"secret_hash": first}, {"old_hash": "0" * 64}, {"old_valid_until": datetime.now(UTC) + DAY}):
        with pytest.raises(ValueError, match="secret"):
            ApiKey.objects.filter(key_id=reader_key.id).update(**changes)


def test_no_hash_is_told_by_the_history(reader_key: Key) -> None:
    rotated(reader_key)
    columns = {field.name for field in ApiKey.history.model._meta.get_fields()}
    assert "old_valid_until" in columns
    assert columns.isdisjoint({"secret_hash", "old_hash"})
