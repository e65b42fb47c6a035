"""What the site asked about actors, and the view that weighs it against what the stream told."""

from __future__ import annotations

from pathlib import Path

import clickhouse_backend.models
import django.db.models.manager
from django.db import migrations

from atsite.core.clickhouse.ddl import create, run

BEFORE = (Path(__file__).parent.parent / "sql" / "views" / "actors.sql").read_text(encoding="utf-8")
ADD_INDEX = (
    "ALTER TABLE actor_identities ADD INDEX IF NOT EXISTS handle_bf handle TYPE bloom_filter(0.01) GRANULARITY 1"
)


class Migration(migrations.Migration):
    dependencies = [("indexer", "0007_refused_actors")]
    operations = [
        create(__file__, "tables/actor_fills.sql", undo="DROP TABLE IF EXISTS actor_fills"),
        run(ADD_INDEX, undo="ALTER TABLE actor_identities DROP INDEX IF EXISTS handle_bf"),
        # What is there already gets its index in the background; until then it is read in full, as before.
        run("ALTER TABLE actor_identities MATERIALIZE INDEX handle_bf", undo=""),
        create(__file__, "tables/actor_counts.sql", undo="DROP TABLE IF EXISTS actor_counts"),
        create(
            __file__,
            "views/actors_with_fills.sql",
            undo=BEFORE.replace("CREATE VIEW IF NOT EXISTS", "CREATE OR REPLACE VIEW"),
        ),
        migrations.CreateModel(
            name="ActorFill",
            fields=[
                ("did", clickhouse_backend.models.StringField(primary_key=True, serialize=False)),
                ("handle", clickhouse_backend.models.StringField()),
                ("display_name", clickhouse_backend.models.StringField()),
                ("source", clickhouse_backend.models.StringField(low_cardinality=True)),
                ("due_us", clickhouse_backend.models.UInt64Field()),
                ("version", clickhouse_backend.models.UInt64Field()),
            ],
            options={"db_table": "actor_fills", "managed": False},
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_overwrite_base_manager", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="ActorCounts",
            fields=[
                ("did", clickhouse_backend.models.StringField(primary_key=True, serialize=False)),
                ("followers", clickhouse_backend.models.UInt64Field()),
                ("follows", clickhouse_backend.models.UInt64Field()),
                ("posts", clickhouse_backend.models.UInt64Field()),
                ("source", clickhouse_backend.models.StringField(low_cardinality=True)),
                ("version", clickhouse_backend.models.UInt64Field()),
            ],
            options={"db_table": "actor_counts", "managed": False, "verbose_name_plural": "actor counts"},
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_overwrite_base_manager", django.db.models.manager.Manager()),
            ],
        ),
    ]
