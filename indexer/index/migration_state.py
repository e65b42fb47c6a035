"""The migrations that are not applied yet to the two databases."""

from __future__ import annotations

from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from atsite.core.errors import AtsiteError
from atsite.core.routers import CLICKHOUSE, DEFAULT


class DatabaseAway(AtsiteError):
    """A database cannot be reached, so nothing is known of its migrations."""


def unapplied() -> list[str]:
    """The missing migrations, in the order in which they will be applied, as `database: app.migration`.

    Raises DatabaseAway.
    """
    try:
        return [f"{alias}: {name}" for alias in (DEFAULT, CLICKHOUSE) for name in missing_on(alias)]
    except (DatabaseError, OSError, EOFError) as error:  # the ClickHouse driver lets the last two through
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise DatabaseAway(f"a database does not answer: {line}") from error


def missing_on(alias: str) -> list[str]:
    """Those of one database, as `app.migration`. Raises django.db.Error."""
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
