"""What readers' apps report, and how much the feeds are read."""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import create


class Migration(migrations.Migration):
    initial = True
    operations = [
        create(__file__, "feed_interactions.sql", undo="DROP TABLE IF EXISTS feed_interactions"),
        create(__file__, "feed_usage.sql", undo="DROP TABLE IF EXISTS feed_usage"),
    ]
