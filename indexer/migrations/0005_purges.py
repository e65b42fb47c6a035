"""The purge's memory of what it has done."""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import create


class Migration(migrations.Migration):
    dependencies = [("indexer", "0004_views")]
    operations = [create(__file__, "tables/purges.sql", undo="DROP TABLE IF EXISTS purges")]
