"""Read models on the real engine: one row per key, and no way to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from clickhouse_backend.models import StringField
from django.apps.registry import Apps
from django.core import checks
from django.db import models

from atsite.core.clickhouse import door
from atsite.core.clickhouse.models import ReadModel, ReadOnlyModel
from tests.core.clickhouse.conftest import like_columns
from tests.core.clickhouse.read_models import SampleActor, SampleLike

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

A, B, C = ("3a", "did:plc:a", "old"), ("3a", "did:plc:b", "old"), ("3b", "did:plc:a", "old")


@pytest.fixture
def three_likes(likes: str) -> str:
    """Three likes in two versions each; the newest of one is a tombstone."""
    door.insert(likes, like_columns([A, B, C]), name="tests.likes")
    door.insert(likes, like_columns([(A[0], A[1], "new"), (B[0], B[1], "new")], version=2), name="tests.likes")
    door.insert(likes, like_columns([(C[0], C[1], "")], version=2, deleted=1), name="tests.likes")
    return likes


@pytest.mark.usefixtures("three_likes")
def test_reading_sees_the_newest_version_of_each_key_and_no_deleted_row() -> None:
    rows = SampleLike.objects.order_by("pk")
    assert [(row.pk, row.subject_uri) for row in rows] == [(A[:2], "new"), (B[:2], "new")]
    assert SampleLike.objects.count() == 2
    assert SampleLike.objects.get(pk=B[:2]).subject_uri == "new"
    assert not SampleLike.objects.filter(subject_uri="old").exists()
    assert not SampleLike.objects.filter(pk=C[:2]).exists()
    assert SampleLike.objects.filter(pk__in=SampleLike.objects.filter(did=B[1])).count() == 1


@pytest.mark.usefixtures("three_likes")
def test_refreshing_sees_one_row(three_likes: str) -> None:
    row = SampleLike.objects.get(pk=A[:2])
    door.insert(three_likes, like_columns([(A[0], A[1], "newest")], version=3), name="tests.likes")
    row.refresh_from_db()
    assert row.subject_uri == "newest"


@pytest.mark.usefixtures("three_likes")
def test_prewhere_compares_the_newest_version() -> None:
    assert SampleLike.objects.prewhere(subject_uri="old").count() == 0
    assert SampleLike.objects.prewhere(subject_uri="new").count() == 2


@pytest.mark.usefixtures("three_likes")
def test_a_key_look_up_uses_the_whole_key() -> None:
    plan = SampleLike.objects.filter(pk=A[:2]).explain(type="PLAN", indexes=1)
    assert "(rkey in ['3a', '3a'])" in plan
    assert "(did in ['did:plc:a', 'did:plc:a'])" in plan


WRITES: dict[str, Callable[[], Any]] = {
    "save": lambda: SampleLike(rkey="x").save(),
    "save_base": lambda: SampleLike(rkey="x").save_base(),
    "delete": lambda: SampleLike(rkey="x", did="y").delete(),
    "create": lambda: SampleLike.objects.create(rkey="x"),
    "get_or_create": lambda: SampleLike.objects.get_or_create(rkey="x"),
    "update_or_create": lambda: SampleLike.objects.update_or_create(rkey="x"),
    "bulk_create": lambda: SampleLike.objects.bulk_create([SampleLike(rkey="x")]),
    "bulk_update": lambda: SampleLike.objects.bulk_update([], ["did"]),
    "update": lambda: SampleLike.objects.update(did="x"),
    "delete of a queryset": lambda: SampleLike.objects.all().delete(),
    "base manager": lambda: SampleLike._base_manager.all().delete(),
    "select_for_update": lambda: SampleLike.objects.select_for_update(),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
@pytest.mark.usefixtures("three_likes")
def test_nothing_writes_and_the_error_names_the_door(write: Callable[[], Any]) -> None:
    with pytest.raises(ReadOnlyModel, match=r'SampleLike only reads .* atsite\.core\.\w+\.door\.insert\("test_likes"'):
        write()
    assert SampleLike.objects.count() == 2


def test_a_table_without_soft_deletes_is_read_without_that_filter(actors: str) -> None:
    columns: dict[str, list[object]] = {"did": ["did:plc:a"] * 2, "handle": ["old.test", "new.test"], "version": [1, 2]}
    door.insert(actors, columns, name="tests.actors")
    assert list(SampleActor.objects.values_list()) == [("did:plc:a", "new.test", 2)]


def test_a_model_that_django_would_migrate_is_an_error() -> None:
    class Managed(ReadModel):
        did = StringField(primary_key=True)

        class Meta:
            app_label = "atsite"
            apps = Apps()

    class Unmanaged(ReadModel):
        pk = models.CompositePrimaryKey("rkey", "did")
        rkey = StringField()
        did = StringField()

        class Meta:
            app_label = "atsite"
            apps = Apps()
            managed = False

    errors = [error.id for error in Managed.check(databases=[]) if isinstance(error, checks.Error)]
    assert errors == ["atsite.E101"]
    assert Unmanaged.check(databases=[]) == []
