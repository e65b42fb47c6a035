"""The published copy of clean-up jobs names record types instead of collections."""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import run

RENAME = "ALTER TABLE repo_cleanup_jobs RENAME COLUMN IF EXISTS {} TO {}"


class Migration(migrations.Migration):
    dependencies = [("search", "0004_cleanup_is_an_app")]
    operations = [run(RENAME.format("collections", "types"), undo=RENAME.format("types", "collections"))]
