"""An identity event without a handle asks for it again, handle.invalid is no handle, and all handles are lower case.

What is stored already is brought to the same rules; docs/decisions/0053-handles.md says how, and what cannot be.
"""

from __future__ import annotations

from pathlib import Path

import clickhouse_backend.models
import django.db.models.manager
from django.db import migrations

from atsite.core.clickhouse.ddl import create, run

VIEW_BEFORE = (Path(__file__).parent.parent / "sql" / "views" / "actors_with_fills.sql").read_text(encoding="utf-8")

HANDLES_OF = """
ALTER TABLE {view} MODIFY QUERY
SELECT lower(handle) AS handle, did, {version} AS version
FROM {table}
WHERE {condition}
"""
NAMED = "handle != '' AND lower(handle) != 'handle.invalid'"

#: Events without a handle replaced the handle that was known. They move to their own table ...
MOVE = "INSERT INTO identity_changes SELECT did, time_us, version FROM actor_identities FINAL WHERE handle = ''"
REMOVE = "DELETE FROM actor_identities WHERE handle = ''"
# ... and the newest handle that was ever told comes back from the one table that keeps them all. What an AppView said
# is left out: it is in actor_fills, with its own age.
BRING_BACK = """
INSERT INTO actor_identities
SELECT did, argMax(handle, version), toUInt64(0), max(version)
FROM
(
    SELECT did, handle, version
    FROM actor_handles
    WHERE did IN (SELECT did FROM identity_changes) AND handle != 'handle.invalid'
    AND (did, handle, version) NOT IN
    (
        SELECT did, lower(handle), version FROM actor_fills FINAL WHERE did IN (SELECT did FROM identity_changes)
    )
)
GROUP BY did
"""
LOWER = """
ALTER TABLE actor_identities UPDATE handle = lower(handle) WHERE handle != lower(handle) SETTINGS mutations_sync = 1
"""
FORGET_INVALID = "DELETE FROM actor_handles WHERE handle = 'handle.invalid'"


class Migration(migrations.Migration):
    dependencies = [("indexer", "0012_jobs")]
    operations = [
        create(__file__, "tables/identity_changes.sql", undo="DROP TABLE IF EXISTS identity_changes"),
        run(
            "ALTER TABLE actor_fills ADD COLUMN IF NOT EXISTS handle_us UInt64 DEFAULT version - 3600000000"
            " AFTER due_us",
            undo="ALTER TABLE actor_fills DROP COLUMN IF EXISTS handle_us",
        ),
        run(
            HANDLES_OF.format(
                view="actor_handles_of_identities_mv", version="version", table="actor_identities", condition=NAMED
            ),
            undo=HANDLES_OF.format(
                view="actor_handles_of_identities_mv",
                version="version",
                table="actor_identities",
                condition="handle != ''",
            ),
        ),
        run(
            HANDLES_OF.format(
                view="actor_handles_of_fills_mv", version="handle_us", table="actor_fills", condition=NAMED
            ),
            undo=HANDLES_OF.format(
                view="actor_handles_of_fills_mv", version="version", table="actor_fills", condition="handle != ''"
            ),
        ),
        create(
            __file__,
            "views/actors_with_ages_of_handles.sql",
            undo=VIEW_BEFORE.replace("CREATE VIEW IF NOT EXISTS", "CREATE OR REPLACE VIEW"),
        ),
        run(MOVE, undo=""),
        run(REMOVE, undo=""),
        run(BRING_BACK, undo=""),
        run(LOWER, undo=""),
        run(FORGET_INVALID, undo=""),
        migrations.CreateModel(
            name="IdentityChange",
            fields=[
                ("did", clickhouse_backend.models.StringField(primary_key=True, serialize=False)),
                ("time_us", clickhouse_backend.models.UInt64Field()),
                ("version", clickhouse_backend.models.UInt64Field()),
            ],
            options={"db_table": "identity_changes", "managed": False},
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_overwrite_base_manager", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(model_name="actorfill", name="handle_us", field=clickhouse_backend.models.UInt64Field()),
    ]
