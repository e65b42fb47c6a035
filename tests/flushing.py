"""What is left of a test with transactions of its own: nothing but the rows that every flushed database has.

Django's flush makes the content types, permissions and groups again after each such test, which took 57 ms of processor
time, nearly all of it to write what had just been deleted. Here the first one is Django's; its rows are remembered, and
after later tests only what differs is written.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from atsite.core.copies import process_copies
from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from django.apps import AppConfig
    from django.db.backends.utils import CursorWrapper

Rows: TypeAlias = dict[str, list[tuple[Any, ...]]]

_flushed: Rows = {}


def flush() -> None:
    """Take all rows out of `default`, but for those that a flush leaves there; running services learn of it."""
    with transaction.atomic():
        if not _flushed:
            call_command("flush", verbosity=0, interactive=False)
            with connection.cursor() as cursor:
                _flushed.update(_rows(cursor))
            return
        with connection.cursor() as cursor:
            changed = _restore(cursor)
    ContentType.objects.clear_cache()
    if changed:
        process_copies.raise_counter()


def _restore(cursor: CursorWrapper) -> bool:
    """Whether anything had to be written."""
    now = _rows(cursor)
    tables = [table for table in sorted({*now, *_flushed}) if now.get(table) != _flushed.get(table)]
    for table in tables:
        cursor.execute(f"DELETE FROM {_quoted(table)}")
        for row in _flushed.get(table, []):
            cursor.execute(f"INSERT INTO {_quoted(table)} VALUES ({', '.join(['%s'] * len(row))})", row)
    return bool(tables)


def _rows(cursor: CursorWrapper) -> Rows:
    """The rows of each table that has any; of those that a flush empties, a single one, as its presence is enough."""
    tables = [name for name in connection.introspection.table_names(cursor) if name != "django_migrations"]
    cursor.execute(
        " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {_quoted(table)})" for table in tables)
    )
    found: Rows = {}
    for (table,) in cursor.fetchall():
        limit = " LIMIT 1" if _flushed and table not in _flushed else ""
        cursor.execute(f"SELECT * FROM {_quoted(table)}{limit}")
        found[table] = cursor.fetchall()
    return found


def _quoted(table: str) -> str:
    return connection.ops.quote_name(table)


@receiver(post_migrate)
def first_feeds(sender: AppConfig, using: str, **_: object) -> None:
    """A test with transactions of its own empties `default` at its end; services that run go on having feeds."""
    if (
        sender.label == "feeds"
        and using == DEFAULT
        and "feeds_feeddefinition" in connection.introspection.table_names()
    ):
        import_module("feeds.migrations.0104_first_feeds").add(apps, None)
