"""Do the models still say what the tables are?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connections

from atsite.core.clickhouse import door
from atsite.core.clickhouse.models import ReadModel, key_fields
from atsite.core.routers import CLICKHOUSE

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Table:
    """A row of system.tables; `sorting_key` as in `ORDER BY`, empty for a view."""

    name: str
    engine: str
    sorting_key: str


@dataclass(frozen=True, slots=True)
class Column:
    """A row of system.columns; `type` as the server writes it."""

    table: str
    name: str
    type: str


def differences(models: Iterable[type[ReadModel]]) -> list[str]:
    """One sentence for each difference between the models and the tables or views they read; none means they agree.

    Compared are the columns' names and types (nullability and low cardinality are part of the type) in both
    directions, the engine, and the primary key with the sorting key. A model may say `unread = frozenset({…})` for
    columns it leaves out, and `engine` where it is not ReplacingMergeTree.
    """
    models = list(models)
    names = sorted({model._meta.db_table for model in models})
    tables = {table.name: table for table in _tables(names)}
    columns: dict[str, dict[str, str]] = {name: {} for name in names}
    for column in _columns(names):
        columns[column.table][column.name] = column.type
    found = []
    for model in models:
        name = model._meta.db_table
        if name not in tables:
            found.append(f"{model.__name__}: there is no table {name}")
            continue
        found += _table_differences(model, tables[name])
        found += _column_differences(model, columns[name])
    return found


def declared_columns(model: type[ReadModel]) -> dict[str, str]:
    """Column -> ClickHouse type, as the model's fields say."""
    connection = connections[CLICKHOUSE]
    types = {field.column: field.db_type(connection) for field in model._meta.local_concrete_fields}
    return {name: type_ for name, type_ in types.items() if name and type_}


def _table_differences(model: type[ReadModel], table: Table) -> list[str]:
    found = []
    if table.engine != model.engine:
        found.append(f"{model.__name__}: {table.name} is a {table.engine}, the model says {model.engine}")
    key = ", ".join(str(field.column) for field in key_fields(model))
    if table.sorting_key and table.sorting_key != key:
        found.append(f"{model.__name__}: {table.name} is sorted by ({table.sorting_key}), the model's key is ({key})")
    return found


def _column_differences(model: type[ReadModel], columns: dict[str, str]) -> list[str]:
    declared = declared_columns(model)
    found = []
    for name, type_ in declared.items():
        if name not in columns:
            found.append(f"{model.__name__}.{name}: the table has no such column")
        elif columns[name] != type_:
            found.append(f"{model.__name__}.{name}: the column is {columns[name]}, the model says {type_}")
    for name in columns.keys() - declared.keys() - model.unread:
        found.append(f"{model.__name__}: the column {name} {columns[name]} is not in the model")
    return sorted(found)


TABLES = """
SELECT name, engine, sorting_key FROM system.tables
WHERE database = currentDatabase() AND name IN {names:Array(String)}
"""


def _tables(names: list[str]) -> list[Table]:
    return door.query(TABLES, {"names": names}, into=Table, name="drift.tables")


COLUMNS = """
SELECT table, name, type FROM system.columns
WHERE database = currentDatabase() AND table IN {names:Array(String)}
"""


def _columns(names: list[str]) -> list[Column]:
    return door.query(COLUMNS, {"names": names}, into=Column, name="drift.columns")
