"""Compares the rows of `default` with their copies in ClickHouse, and repairs the copies: `default` decides.

The copies are read first, so a change meanwhile only looks like a copy that is behind, and gets copied again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from atsite.core.clickhouse.models import key_fields
from atsite.core.copies import clickhouse_copies, versions
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from atsite.core.copies.copied_fields import CopiedFields

Key = tuple[object, ...]
Row = dict[str, Any]

#: The most keys that one sentence names.
NAMED: Final = 5


def repair(model: type[CopiedFields]) -> list[str]:
    """Compare all rows of `model` with their copies and repair these. Returns a sentence for each kind of difference.

    Raises ClickHouseError, DatabaseError.
    """
    copied = _copied(model)
    behind, differing, unknown = [], [], dict(copied)
    due = 0
    for row in clickhouse_copies.every_row(model).iterator(clickhouse_copies.BATCH_ROWS):
        wanted = row.row()
        key = tuple(wanted[name] for name in _key(model))
        copy = unknown.pop(key, None)
        if row.published_us < row.time_us:
            due += 1
        elif copy is None or copy["time_us"] < wanted["time_us"]:
            behind.append((key, row.pk))
        elif any(copy[name] != value for name, value in wanted.items() if name not in row.copied_late()):
            differing.append((key, row.pk, copy["time_us"]))
    orphans = {key: copy for key, copy in unknown.items() if not copy["deleted"]}
    for _, pk in behind:
        clickhouse_copies.every_row(model).filter(pk=pk).update(published_us=0)
    for _, pk, version in differing:
        _renew(model, pk, above=version)
    clickhouse_copies.copy_due(model)
    _bury(model, orphans)
    return [
        *_sentence(model, due, "was not copied yet", []),
        *_sentence(model, len(behind), "was missing or outdated in the copy", [key for key, _ in behind]),
        *_sentence(model, len(differing), "was different in the copy", [key for key, _, _ in differing]),
        *_sentence(model, len(orphans), "was only in the copy", list(orphans)),
    ]


def _copied(model: type[CopiedFields]) -> dict[Key, Row]:
    """The newest version of each row of the copy, the deleted ones too."""
    columns = [*model.copied, "time_us", "deleted"]
    rows = model.copy.objects.with_deleted().values_list(*columns)
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return {tuple(row[name] for name in _key(model)): row for row in found}


def _key(model: type[CopiedFields]) -> tuple[str, ...]:
    return tuple(str(field.column) for field in key_fields(model.copy))


def _renew(model: type[CopiedFields], pk: object, *, above: int) -> None:
    """Give the row a greater version than its copy's, so that it wins there. Writes no history entry."""
    with transaction.atomic(using=DEFAULT):
        version = versions.issue(above=above)
        clickhouse_copies.every_row(model).filter(pk=pk).update(time_us=version)


def _bury(model: type[CopiedFields], orphans: dict[Key, Row]) -> None:
    """Mark copies as deleted whose row does not exist in `default`."""
    rows = []
    for copy in orphans.values():
        with transaction.atomic(using=DEFAULT):
            rows.append({**copy, "deleted": 1, "time_us": versions.issue(above=copy["time_us"])})
    clickhouse_copies.insert(model, rows)


def _sentence(model: type[CopiedFields], count: int, what: str, keys: list[Key]) -> list[str]:
    if not count:
        return []
    named = "; ".join(", ".join(map(str, key)) for key in keys[:NAMED])
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return [f"{model._meta.label}: {count} × {what}{f' ({named}{more})' if named else ''}; repaired"]
