"""Operations for ClickHouse migrations: one statement from a file in the app's `sql/`, and its reverse.

    operations = [create(__file__, "tables/posts.sql", undo="DROP TABLE IF EXISTS posts")]

ClickHouse has no transactional DDL: a migration that fails stays half applied and unrecorded. So every statement
has IF NOT EXISTS or IF EXISTS and can be run again.
"""

from __future__ import annotations

from pathlib import Path

from django.db.migrations.operations import RunSQL

from atsite.core.routers import CLICKHOUSE


def create(migration: str, file: str, *, undo: str) -> RunSQL:
    """The statement in `sql/<file>` of the app of `migration` (a module's `__file__`); `undo` reverses it."""
    statement = (Path(migration).parent.parent / "sql" / file).read_text(encoding="utf-8")
    return run(statement, undo=undo)


def run(statement: str, *, undo: str) -> RunSQL:
    """One statement, only on ClickHouse. Where `statement` or `undo` is empty, nothing happens in that direction.

    It is passed as a list of one, or Django would parse the text for semicolons, without knowing ClickHouse's SQL.
    """
    # A list of nothing is as good as RunSQL.noop.
    return RunSQL([statement] if statement else [], [undo] if undo else [], hints={"database": CLICKHOUSE})
