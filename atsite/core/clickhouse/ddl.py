"""Operations for migrations of ClickHouse: one statement, kept in a file under the app's `sql/`, with its way back.

    operations = [create(__file__, "tables/posts.sql", undo="DROP TABLE IF EXISTS posts")]

ClickHouse has no transactional DDL: a migration that fails stays half applied and unrecorded. So every statement says
IF NOT EXISTS or IF EXISTS, and is simply run again.
"""

from __future__ import annotations

from pathlib import Path

from django.db.migrations.operations import RunSQL

from atsite.core.routers import CLICKHOUSE


def create(migration: str, file: str, *, undo: str) -> RunSQL:
    """The statement in `sql/<file>` of the app whose migration (`__file__`) asks; `undo` is its way back."""
    statement = (Path(migration).parent.parent / "sql" / file).read_text(encoding="utf-8")
    return run(statement, undo=undo)


def run(statement: str, *, undo: str) -> RunSQL:
    """One statement on ClickHouse and nowhere else. Where `statement` or `undo` is empty, nothing happens on that way.

    As a list of one: Django would otherwise parse the text for semicolons, and does not know ClickHouse's SQL.
    """
    # A list of nothing is as good as RunSQL.noop.
    return RunSQL([statement] if statement else [], [undo] if undo else [], hints={"database": CLICKHOUSE})
