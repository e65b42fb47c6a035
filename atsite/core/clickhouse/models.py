"""Read-only models of ClickHouse tables and views.

    class Like(ReadModel):
        pk = models.CompositePrimaryKey("rkey", "did")     # the table's sorting key, in its order
        rkey = StringField()
        did = StringField()
        subject_uri = StringField()
        version = UInt64Field()
        deleted = UInt8Field(default=0)

        class Meta:
            managed = False
            db_table = "likes"

A table keyed by one column marks that column `primary_key=True` instead. The admin of such models is
`atsite.core.clickhouse.admin.ReadOnlyAdmin`. Rows are written by `atsite.core.clickhouse.door.insert`, nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from clickhouse_backend.models import ClickhouseModel
from clickhouse_backend.models.base import ClickhouseManager
from clickhouse_backend.models.query import QuerySet
from django.core import checks
from django.core.exceptions import FieldDoesNotExist

from atsite.core.errors import AtsiteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.db.models import Field, Model


class ReadOnlyModel(AtsiteError):
    """A ClickHouse table cannot be written through the ORM, which would mutate rows in place."""


class ReadQuerySet(QuerySet):  # type: ignore[misc]
    """Reads one row per key. All writing methods raise ReadOnlyModel."""

    def prewhere(self, *args: Any, **kwargs: Any) -> ReadQuerySet:
        """Like the backend's, but applied after FINAL, as otherwise it would also match replaced rows."""
        clone: ReadQuerySet = super().prewhere(*args, **kwargs)
        return clone.settings(apply_prewhere_after_final=1)  # type: ignore[no-any-return]

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise read_only(self.model)

    create = bulk_create = update = bulk_update = delete = _refuse
    get_or_create = update_or_create = _raw_delete = _update = _insert = select_for_update = _refuse
    for _write in (delete, update):
        _write.alters_data = True  # type: ignore[attr-defined]  # templates may not call it
    del _write


class ReadManager(ClickhouseManager):  # type: ignore[misc]
    """FINAL (the newest version of each key), without deleted rows if the model has `deleted`."""

    _queryset_class = ReadQuerySet

    def get_queryset(self) -> ReadQuerySet:
        queryset = self.with_deleted()
        return queryset.filter(deleted=0) if has_field(self.model, "deleted") else queryset

    def with_deleted(self) -> ReadQuerySet:
        """The newest version of each key, including deleted ones. (A queryset made by hand ignores its settings.)"""
        queryset: ReadQuerySet = super().get_queryset().settings(final=1)
        return queryset


class ReadModel(ClickhouseModel):  # type: ignore[misc]
    """A row of ClickHouse. `save` and `delete` raise ReadOnlyModel."""

    #: atsite.core.routers uses ClickHouse for the model because of this.
    clickhouse: ClassVar[bool] = True
    #: As in system.tables; a test compares (tests.core.clickhouse.drift). "View", "MergeTree", … where it is another.
    engine: ClassVar[str] = "ReplacingMergeTree"
    #: Columns of the table that the model leaves out on purpose.
    unread: ClassVar[frozenset[str]] = frozenset()

    objects = ReadManager()
    #: What refresh_from_db and the admin use; the name is the backend's.
    _overwrite_base_manager = ReadManager()

    class Meta:  # the Meta of each model derives from it
        abstract = True
        managed = False

    def __str__(self) -> str:
        """The key, in its order."""
        return " ".join(str(getattr(self, field.name)) for field in key_fields(type(self)))

    def save(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise read_only(type(self))

    def save_base(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise read_only(type(self))

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise read_only(type(self))

    delete.alters_data = True  # type: ignore[attr-defined]
    save.alters_data = True  # type: ignore[attr-defined]

    @classmethod
    def check(cls, **kwargs: Any) -> list[checks.CheckMessage]:
        """E001: otherwise Django would create and alter the table; its DDL is in the app's sql/."""
        found: list[checks.CheckMessage] = super().check(**kwargs)
        if cls._meta.managed:
            text = f"{cls.__name__} reads ClickHouse and must say `managed = False` in its Meta."
            found.append(checks.Error(text, obj=cls, id="atsite.E101"))
        return found


def read_only(model: type[Model]) -> ReadOnlyModel:
    """The error for an attempt to write `model`."""
    return ReadOnlyModel(
        f"{model.__name__} only reads ClickHouse: write with"
        f' atsite.core.clickhouse.door.insert("{model._meta.db_table}", {{column: values}}, name=…)'
    )


def has_field(model: type[Model], name: str) -> bool:
    """Whether `model` has a field of that name."""
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def key_fields(model: type[Model]) -> Sequence[Field[Any, Any]]:
    """The fields of its primary key, in the key's order."""
    return model._meta.pk_fields
