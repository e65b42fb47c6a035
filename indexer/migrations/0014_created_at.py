"""Read createdAt by one rule, and give a field of the wrong type its default.

What is stored already: `eligible` is computed when it is read, so that a post whose date cannot be read leaves the
feeds at once. The values themselves are made again from the raw events, as far as these are kept: this leaves one row
for each of their days, and a task does the work (indexer.index.rereading). docs/decisions/0069-created-at.md.
"""

from __future__ import annotations

from pathlib import Path

import clickhouse_backend.models
import django.db.models.manager
from django.db import migrations, models

from atsite.core.clickhouse.ddl import create, run

SQL = Path(__file__).parent.parent / "sql"
FUNCTIONS = (
    "parsed_datetime", "datetime", "is_long_number", "text", "text_of_tuple", "listed_text", "texts",
)  # fmt: skip
VIEWS = ("posts_mv", "likes_mv", "reposts_mv", "follows_mv", "blocks_mv", "actor_profiles_mv")

ELIGIBLE = """
ALTER TABLE posts MODIFY COLUMN eligible UInt8 ALIAS atsiteIsEligibleTid(rkey, version)
AND ifNull(toUnixTimestamp64Milli(created_at) * 1000 + 86400000000 >= toInt64(atsiteTidToMicros(rkey)), {undated})
"""
DAYS = "INSERT INTO rereadings (reason, day) SELECT 'created_at', day FROM (SELECT DISTINCT day FROM repo_records)"


def query_before(view: str) -> str:
    """The SELECT that the view had from its creation."""
    return (SQL / "materialized" / f"{view}.sql").read_text(encoding="utf-8").partition(" AS\n")[2]


class Migration(migrations.Migration):
    dependencies = [("indexer", "0013_handles")]
    operations = [
        *(create(__file__, f"functions/{name}.sql", undo="") for name in FUNCTIONS),
        *(
            create(__file__, f"changes/{view}.sql", undo=f"ALTER TABLE {view} MODIFY QUERY\n{query_before(view)}")
            for view in VIEWS
        ),
        run(ELIGIBLE.replace("{undated}", "0"), undo=ELIGIBLE.replace("{undated}", "1")),
        create(__file__, "tables/rereadings.sql", undo="DROP TABLE IF EXISTS rereadings"),
        run(DAYS, undo=""),
        migrations.CreateModel(
            name="Rereading",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "reason", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", clickhouse_backend.models.StringField(low_cardinality=True)),
                ("day", clickhouse_backend.models.DateField()),
                ("done", clickhouse_backend.models.UInt8Field(default=0)),
                ("changed_at", clickhouse_backend.models.DateTime64Field()),
            ],
            options={"db_table": "rereadings", "managed": False},
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_overwrite_base_manager", django.db.models.manager.Manager()),
            ],
        ),
    ]
