"""Add the sender of an interaction, as a pseudonym: docs/decisions/0081-limits-on-writes.md."""

from __future__ import annotations

import clickhouse_backend.models
from django.db import migrations

from atsite.core.clickhouse.ddl import run


class Migration(migrations.Migration):
    dependencies = [("feeds", "0105_plain_words")]
    operations = [
        run(
            "ALTER TABLE feed_interactions ADD COLUMN IF NOT EXISTS sender String",
            undo="ALTER TABLE feed_interactions DROP COLUMN IF EXISTS sender",
        ),
        migrations.AddField(
            model_name="feedinteraction",
            name="sender",
            field=clickhouse_backend.models.StringField(default=""),
            preserve_default=False,
        ),
    ]
