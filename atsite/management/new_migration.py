"""Creates a ClickHouse migration: the next module of an app, and the file for its one statement."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from django.apps import apps

from atsite.core.errors import AtsiteError

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")

_MODULE: Final = '''"""Say why, and what operators notice."""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import create


class Migration(migrations.Migration):
    dependencies = [("{app}", "{previous}")]
    operations = [create(__file__, "{stem}.sql", undo="")]
'''

_SQL: Final = """\
-- Say why. One statement, with IF [NOT] EXISTS: it runs again after a failure. A materialized view changes by
-- ALTER TABLE … MODIFY QUERY, never by DROP and CREATE.
"""


def begin(app: str, name: str, *, folder: Path | None = None) -> tuple[Path, Path]:
    """Write the next migration of `app`, called `name`, and its SQL file; returns the two paths.

    `folder` defaults to the app's own. Raises AtsiteError for a name that cannot be a module's.
    """
    if not _NAME.fullmatch(name):
        raise AtsiteError(
            f"{name!r} is not a valid migration name: use lowercase letters, digits and _, and begin with a letter"
        )
    folder = folder or Path(apps.get_app_config(app).path)
    previous = max(path.stem for path in (folder / "migrations").glob("[0-9]*.py"))
    stem = f"{int(previous[:4]) + 1:04d}_{name}"
    module, sql = folder / "migrations" / f"{stem}.py", folder / "sql" / f"{stem}.sql"
    sql.parent.mkdir(exist_ok=True)
    module.write_text(_MODULE.replace("{app}", app).replace("{previous}", previous).replace("{stem}", stem), "utf-8")
    sql.write_text(_SQL, "utf-8")
    return module, sql
