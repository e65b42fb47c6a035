"""The whole schema of both databases as one text: sorted, without the database's name, the same on every machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connections

from atsite.core.clickhouse import door
from atsite.core.config import BASE_DIR, config
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

#: The committed schema.
SCHEMA_FILE: Path = BASE_DIR / "docs" / "schema.sql"

_HEAD = """\
-- The schema of both databases, written by `just migrate-dump-schema`; a test compares it with the migrations.
-- The reasons for each table are in the comments of indexer/sql, labels/sql, apikeys/sql and search/sql.
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """The DDL of one object, and its name."""

    name: str
    sql: str


def schema() -> str:
    """Functions, tables and views of ClickHouse and tables of the relational database (as SQLite), each sorted by name.

    The ClickHouse part runs as it is on an empty database.
    """
    parts = [
        _HEAD,
        _section("ClickHouse: functions", functions()),
        _section("ClickHouse: tables", _of_database(TABLES)),
        _section("ClickHouse: materialized views", _of_database(MATERIALIZED_VIEWS)),
        _section("ClickHouse: views", _of_database(VIEWS)),
        _section("Relational: tables and indexes", relational()),
    ]
    return "\n".join(parts)


FUNCTIONS = """
SELECT name, formatQuery(create_query) FROM system.functions
WHERE origin = 'SQLUserDefined' AND startsWith(name, 'atsite') ORDER BY name
"""


def functions() -> list[Statement]:
    """The project's SQL functions on this server."""
    return [
        Statement(row.name, row.sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
        for row in door.query(FUNCTIONS, into=Statement, name="schema.functions")
    ]


TABLES = """
SELECT name, formatQuery(create_table_query) FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'django_migrations' ORDER BY name
"""
MATERIALIZED_VIEWS = """
SELECT name, formatQuery(create_table_query) FROM system.tables
WHERE database = currentDatabase() AND engine = 'MaterializedView' ORDER BY name
"""
VIEWS = """
SELECT name, formatQuery(create_table_query) FROM system.tables
WHERE database = currentDatabase() AND engine = 'View' ORDER BY name
"""


def _of_database(sql: str) -> list[Statement]:
    name_of_database = re.compile(rf"\b{re.escape(config.clickhouse_database)}\.(?=[`\w])")
    # The definer of a materialized view is not part of the schema.
    definer = re.compile(r"\s*DEFINER = \S+ SQL SECURITY DEFINER")
    return [
        Statement(row.name, definer.sub("", name_of_database.sub("", row.sql)))
        for row in door.query(sql, into=Statement, name="schema.objects")
    ]


def relational() -> list[Statement]:
    """The tables and indexes of `default`, as SQLite has them; empty for another engine."""
    connection = connections[DEFAULT]
    if connection.vendor != "sqlite":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sql FROM sqlite_master"
            " WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, type DESC, name"
        )
        return [Statement(name, sql) for name, sql in cursor.fetchall()]


def _section(title: str, statements: list[Statement]) -> str:
    return "\n".join([f"-- {title}\n", *(f"{statement.sql};\n" for statement in statements)])
