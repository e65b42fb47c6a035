"""The published copy in ClickHouse."""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import create


class Migration(migrations.Migration):
    initial = True
    operations = [create(__file__, "actor_labels.sql", undo="DROP TABLE IF EXISTS actor_labels")]
