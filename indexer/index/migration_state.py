"""The migrations that are not applied yet to the two databases."""

from __future__ import annotations

from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from atsite.core.routers import CLICKHOUSE, DEFAULT


def unapplied() -> list[str]:
    """The missing migrations, in the order in which they will be applied, as `database: app.migration`.

    Raises django.db.Error when a database cannot be reached.
    """
    return [f"{alias}: {name}" for alias in (DEFAULT, CLICKHOUSE) for name in missing_on(alias)]


def missing_on(alias: str) -> list[str]:
    """Those of one database, as `app.migration`. Raises django.db.Error."""
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
