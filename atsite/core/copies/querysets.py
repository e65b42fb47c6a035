"""Querysets that write row by row through `save` and `delete`, so that nothing bypasses these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from django.db import models, transaction

from atsite.core.copies import versions
from atsite.core.copies.errors import RowByRowOnly
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable

Row = TypeVar("Row", bound=models.Model)


class RowByRow(models.QuerySet[Row]):
    """`update`, `delete` and `bulk_create` call each row's `save` or `delete`, in one transaction; the rest raises."""

    def update(self, **values: Any) -> int:
        """As Django's, with plain values only. Raises RowByRowOnly for expressions, ChangedMeanwhile."""
        if any(hasattr(value, "resolve_expression") for value in values.values()):
            raise RowByRowOnly(f"{self.model.__name__}: an expression cannot be set row by row")
        with transaction.atomic(using=DEFAULT):
            versions.lock()  # before the rows are read, so that they cannot change in between
            rows = list(self)
            for row in rows:
                for name, value in values.items():
                    setattr(row, name, value)
                row.save()
        return len(rows)

    def delete(self) -> tuple[int, dict[str, int]]:
        """As Django's. Raises ChangedMeanwhile."""
        with transaction.atomic(using=DEFAULT):
            versions.lock()
            count = sum(row.delete()[0] for row in list(self))
        return count, {self.model._meta.label: count}

    def bulk_create(  # type: ignore[override]  # the options it cannot serve are named in one
        self, objs: Iterable[Row], batch_size: int | None = None, **options: Any
    ) -> list[Row]:
        """As Django's. Raises RowByRowOnly for ignore_conflicts and update_conflicts."""
        if any(options.values()):
            raise RowByRowOnly(f"{self.model.__name__}: bulk_create takes no {', '.join(sorted(options))}")
        rows = list(objs)
        with transaction.atomic(using=DEFAULT):
            for row in rows:
                row.save(force_insert=True)
        return rows

    def bulk_update(self, *args: object, **kwargs: object) -> NoReturn:
        """Raises RowByRowOnly."""
        raise RowByRowOnly(f"{self.model.__name__}: change and save each row")

    _raw_delete = bulk_update

    update.alters_data = True  # type: ignore[attr-defined]  # templates may not call them
    delete.alters_data = True  # type: ignore[attr-defined]
