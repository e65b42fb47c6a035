"""Actors in the order of their handles, from what the stream tells and from what the site asks."""

from __future__ import annotations

import clickhouse_backend.models
import django.db.models.manager
from django.db import migrations, models

from atsite.core.clickhouse.ddl import create, run

#: What was there before the views, which take what comes from now on; what is in both is one row.
BEFORE = "INSERT INTO actor_handles SELECT lower(handle), did, version FROM {table} WHERE handle != ''"


class Migration(migrations.Migration):
    dependencies = [("indexer", "0009_backfills")]
    operations = [
        create(__file__, "tables/actor_handles.sql", undo="DROP TABLE IF EXISTS actor_handles"),
        create(
            __file__,
            "materialized/actor_handles_of_identities_mv.sql",
            undo="DROP VIEW IF EXISTS actor_handles_of_identities_mv",
        ),
        create(
            __file__, "materialized/actor_handles_of_fills_mv.sql", undo="DROP VIEW IF EXISTS actor_handles_of_fills_mv"
        ),
        run(BEFORE.replace("{table}", "actor_identities"), undo=""),
        run(BEFORE.replace("{table}", "actor_fills"), undo=""),
        migrations.CreateModel(
            name="ActorHandle",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "handle", "did", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("handle", clickhouse_backend.models.StringField()),
                ("did", clickhouse_backend.models.StringField()),
                ("version", clickhouse_backend.models.UInt64Field()),
            ],
            options={"db_table": "actor_handles", "managed": False},
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_overwrite_base_manager", django.db.models.manager.Manager()),
            ],
        ),
    ]
