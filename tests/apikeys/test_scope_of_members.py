"""Migration 0006: what the scope `labels` opened is `members` now, in keys, their copies and their history."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import F

from apikeys import keys, models
from apikeys.check import check
from apikeys.models import ApiKey, add_key
from atsite.core.clickhouse import door
from atsite.core.copies.redis_cache import VersionedCache
from atsite.core.copies.tasks import copy_all_due
from atsite.core.web.auth import Scope
from atsite.core.web.xrpc import XrpcError

NAME = "0006_scope_of_members"
COPIES = "SELECT toString(tuple(name, scopes)) FROM api_keys FINAL ORDER BY name"


def migrate(step: str) -> None:
    """As Django does, with the models of that moment; then what a worker does each minute."""
    state = MigrationLoader(connection).project_state([("apikeys", NAME)])
    with transaction.atomic():
        getattr(import_module(f"apikeys.migrations.{NAME}"), step)(state.apps, None)
    copy_all_due()


def copies() -> list[str]:
    found: list[str] = door.column(COPIES, name="tests.copies")
    return found


def test_keys_keep_what_they_open_there_and_back_and_are_published_again(
    stores: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "KEYS", VersionedCache("apikeys"))  # where the code of before cached them
    old, both, other = (keys.mint() for _ in range(3))
    add_key(old, scopes=["labels"], feeds=["a-mpls"], note="1 old")
    add_key(both, scopes=["stats", "labels"], feeds=["a-mpls"], note="2 both")
    add_key(other, scopes=["search"], note="3 other")
    ApiKey.objects.get(key_id=both.id).revoke()
    untouched = ApiKey.objects.get(key_id=other.id).time_us

    migrate("forward")
    opened = check(old.text)
    assert (opened.scopes, opened.feeds) == (frozenset({Scope.MEMBERS}), frozenset({"a-mpls"}))
    with pytest.raises(XrpcError, match="revoked"):
        check(both.text)
    assert copies() == ["('1 old',['members'])", "('2 both',['stats','members'])", "('3 other',['search'])"]
    entries = ApiKey.history.order_by("history_id").values_list("note", "scopes")
    assert list(entries) == [
        ("1 old", ["members"]),
        ("2 both", ["stats", "members"]),
        ("3 other", ["search"]),
        ("2 both", ["stats", "members"]),
    ]
    assert ApiKey.objects.get(key_id=other.id).time_us == untouched
    assert not ApiKey.objects.exclude(published_us=F("time_us")).exists()

    migrate("backward")
    assert copies() == ["('1 old',['labels'])", "('2 both',['stats','labels'])", "('3 other',['search'])"]


def test_who_may_change_any_label_may_change_none_before(stores: None) -> None:
    add_key(keys.mint(), scopes=["labels"], note="1 any label")
    add_key(keys.mint(), scopes=["labels", "members"], feeds=["a-mpls"], note="2 both")
    migrate("backward")
    assert copies() == ["('1 any label',[])", "('2 both',['labels'])"]
