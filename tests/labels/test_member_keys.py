"""Who gets a label has its signing key fetched, by a task that every change of labels starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.db import transaction

from atsite.celery import QUEUE, QUEUE_PREFIX
from atsite.core.atproto.keys import public_key_of
from atsite.core.identity.models import SigningKey
from atsite.core.kv import PREFIX
from atsite.core.kv.lock import single_flight
from labels import bulk_changes, member_keys, membership, tasks
from labels.models import BulkChange, Label
from tests.away import redis_away
from tests.core.identity.network import document
from tests.labels.people import ALL, MIRA, NOEL
from tests.tokens import key

if TYPE_CHECKING:
    import redis

    from tests.core.identity.network import Network

KEY = public_key_of(key(7)).multibase


def messages(valkey: redis.Redis) -> list[str]:
    """The tasks that the worker is told to begin."""
    told = valkey.lrange(f"{QUEUE_PREFIX}{QUEUE}", 0, -1)
    return [json.loads(message)["headers"]["task"] for message in told]


def keys() -> dict[str, str]:
    return dict(SigningKey.objects.values_list("did", "key"))


def publish(network: Network) -> None:
    for person in ALL:
        network.answers[f"/{person.did}"] = document(person.did, person.handle, KEY)


@pytest.mark.django_db(transaction=True)
def test_a_label_and_a_bulk_change_tell_the_worker_once_after_the_commit(
    clickhouse: None, valkey: redis.Redis, network: Network
) -> None:
    publish(network)
    label = Label.objects.create(name="knitters")
    with transaction.atomic():
        membership.assign("knitters", MIRA.did, by="admin")
        assert messages(valkey) == []
    assert messages(valkey) == ["labels.tasks.fetch_member_keys"]
    valkey.delete(
        f"{PREFIX}announced:labels.tasks.fetch_member_keys", f"{QUEUE_PREFIX}{QUEUE}"
    )  # the second in which one message is enough
    change = bulk_changes.plan_for_dids(label, [person.did for person in ALL], giving=True, by="admin")
    bulk_changes.advance(change)
    bulk_changes.confirm(BulkChange.objects.get())
    bulk_changes.advance(BulkChange.objects.get())
    assert messages(valkey) == ["labels.tasks.fetch_member_keys"]
    tasks.fetch_member_keys()
    assert keys() == {person.did: KEY for person in ALL}


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_label_is_given_and_the_key_comes_with_the_next_round(
    clickhouse: None, valkey: redis.Redis, network: Network
) -> None:
    publish(network)
    Label.objects.create(name="knitters")
    with redis_away():
        membership.assign("knitters", MIRA.did, by="admin")
    assert messages(valkey) == []
    assert member_keys.fetch(seconds=60) == 1
    assert keys() == {MIRA.did: KEY}


def test_who_lost_the_label_is_not_asked_for_and_one_round_runs_at_a_time(label: str, network: Network) -> None:
    publish(network)
    for person in (MIRA, NOEL):
        membership.assign(label, person.did, by="admin")
    membership.remove(label, NOEL.did, by="admin")
    with single_flight("labels.member_keys", 60):
        assert member_keys.fetch(seconds=60) == 0
    assert member_keys.fetch(seconds=60) == 1
    assert keys() == {MIRA.did: KEY}
