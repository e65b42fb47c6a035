"""Writes the copies in ClickHouse of rows in `default`.

A copy is due while `published_us < time_us`. Copying reads the row, inserts it, and then sets `published_us` to the
inserted version, never to a newer one and never back: after a change meanwhile it stays due, after a crash it is
inserted again, and a row inserted twice under one version counts as one row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from django.apps import apps
from django.db import DatabaseError, transaction
from django.db.models import F

from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.clickhouse.limits import Limits
from atsite.core.copies import versions
from atsite.core.copies.copied_fields import CopiedFields
from atsite.core.errors import ConfigError
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet

log = structlog.get_logger(__name__)

#: Rows of one insert: a few hundred bytes each.
BATCH_ROWS: Final = 2000
#: A user waits for the answer to a form; the next task writes what is late.
COPY: Final = Limits(max_execution_time=5, max_memory_usage=500_000_000)


def copied_models() -> list[type[CopiedFields]]:
    """Every model with a copy, by label."""
    models = [model for model in apps.get_models() if issubclass(model, CopiedFields)]
    return sorted(models, key=lambda model: model._meta.label)


def copy_row(model: type[CopiedFields], pk: object) -> bool:
    """Copy one row if it is due. False if that must wait for the task."""
    try:
        rows = list(_due(model).filter(pk=pk))
        if rows:
            _copy(model, rows)
    except (ClickHouseError, ConfigError, DatabaseError) as error:
        log.warning("publish.later", model=model._meta.label, error=type(error).__name__)
        return False
    return True


def copy_due(model: type[CopiedFields]) -> int:
    """Copy every due row; returns how many. Raises ClickHouseError.

    A row that ClickHouse refuses for its content stays due, is logged each time, and does not block others.
    """
    return sum(_copy_each(model, batch) for batch in _batches(model))


def every_row(model: type[CopiedFields]) -> QuerySet[CopiedFields]:
    """All rows, also deleted ones, with what their copies need. Writes through it bypass versions."""
    rows = model._base_manager.using(DEFAULT).all()
    return rows.select_related(*model.copied_from) if model.copied_from else rows


def _due(model: type[CopiedFields]) -> QuerySet[CopiedFields]:
    return every_row(model).filter(published_us__lt=F("time_us"))


def _batches(model: type[CopiedFields]) -> Iterator[list[CopiedFields]]:
    """Due rows by primary key; each once, also where one stays due."""
    last: object = None
    while True:
        rows = _due(model).order_by("pk")
        batch = list((rows if last is None else rows.filter(pk__gt=last))[:BATCH_ROWS])
        if not batch:
            return
        last = batch[-1].pk
        yield batch


def _copy_each(model: type[CopiedFields], rows: Sequence[CopiedFields]) -> int:
    try:
        return _copy(model, rows)
    except ClickHouseError as error:
        if error.retryable:
            raise
        if len(rows) == 1:
            log.error("publish.refused", model=model._meta.label, row=rows[0].pk, error=str(error))
            return 0
    return sum(_copy_each(model, [row]) for row in rows)


def _copy(model: type[CopiedFields], rows: Sequence[CopiedFields]) -> int:
    insert(model, [row.row() for row in rows])
    with transaction.atomic(using=DEFAULT):
        versions.lock()  # first, as every change does: else two that lock the same rows could wait for each other
        for row in rows:
            every_row(model).filter(pk=row.pk, published_us__lt=row.time_us).update(published_us=row.time_us)
    return len(rows)


def insert(model: type[CopiedFields], rows: Sequence[dict[str, object]]) -> None:
    """Write rows of the copy's columns into the copy. Raises ClickHouseError."""
    columns = {column: [row[column] for row in rows] for column in (*model.copied, "time_us", "deleted")}
    door.insert(model.copy._meta.db_table, columns, name=f"publish.{model._meta.model_name}", limits=COPY)
    model.copies_written(rows)
