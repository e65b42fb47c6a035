"""The copy says which feeds a key covers and how often it may call; a table counts how often it did."""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import create


class Migration(migrations.Migration):
    dependencies = [("apikeys", "0002_read_models")]
    operations = [
        create(__file__, "0003_feeds.sql", undo="ALTER TABLE api_keys DROP COLUMN IF EXISTS feeds"),
        create(__file__, "0003_rate_limit.sql", undo="ALTER TABLE api_keys DROP COLUMN IF EXISTS rate_limit"),
        create(__file__, "api_key_usage.sql", undo="DROP TABLE IF EXISTS api_key_usage"),
    ]
