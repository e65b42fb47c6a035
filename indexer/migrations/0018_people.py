"""Store the self-labels of profiles, and what a search of people needs, in tables of their own.

What is stored already: the facts and tokens of people are made from the stored actors. Labels are read from the stored
raw events, which are kept for `KEEP_RAW_DAYS`: a profile that was last written before has none until it is written
again, or until its account is backfilled. Dead events (below their account's floor) are left out.

The order matters: views first, then what was stored before them. What both write is the same rows.
"""

from __future__ import annotations

from pathlib import Path

import clickhouse_backend.models
import django.db.models.manager
from django.db import migrations, models

from atsite.core.clickhouse.ddl import create, run

SQL = Path(__file__).parent.parent / "sql"
VIEWS = (
    "people_facts_of_profiles_mv", "people_facts_of_fills_mv", "people_facts_of_identities_mv",
    "people_facts_of_accounts_mv", "people_facts_of_floors_mv",
)  # fmt: skip
PROFILES_BEFORE = (SQL / "changes" / "actor_profiles_mv.sql").read_text(encoding="utf-8")


def query_of(file: str) -> str:
    """The SELECT of a materialized view's file, or of a change of one."""
    text = (SQL / file).read_text(encoding="utf-8")
    return text[text.index("SELECT") :]


# Of two rows of one version the one inserted last wins, so the same events are read once more, those that have labels.
LABELS = f"""
INSERT INTO actor_profiles (did, display_name, description, avatar, labels, time_us, version, deleted)
SELECT did, display_name, description, avatar, labels, time_us, version, deleted
FROM ({query_of("changes/actor_profiles_mv_with_labels.sql")} AND operation != 'delete') AS profiles
LEFT ANY JOIN (SELECT did, floor FROM repo_floors FINAL) AS floors USING (did)
WHERE notEmpty(labels) AND version >= floor
"""  # noqa: S608  a file of this project
FACTS = [
    f"INSERT INTO people_facts (did, fact, value, words, version) {query_of(f'materialized/{view}.sql')}"
    for view in VIEWS
]
BLOCKERS = f"INSERT INTO blockers (subject_did, did, rkey, version) {query_of('materialized/blockers_mv.sql')}"


class Migration(migrations.Migration):
    dependencies = [("indexer", "0017_search_lists")]
    operations = [
        run(
            "ALTER TABLE actor_profiles ADD COLUMN IF NOT EXISTS labels Array(LowCardinality(String)) AFTER avatar",
            undo="ALTER TABLE actor_profiles DROP COLUMN IF EXISTS labels",
        ),
        create(__file__, "changes/actor_profiles_mv_with_labels.sql", undo=PROFILES_BEFORE),
        run(LABELS, undo=""),
        create(__file__, "functions/name_words.sql", undo=""),
        create(__file__, "functions/name_tokens.sql", undo=""),
        create(__file__, "tables/people_facts.sql", undo="DROP TABLE IF EXISTS people_facts"),
        create(__file__, "tables/people_tokens.sql", undo="DROP TABLE IF EXISTS people_tokens"),
        create(__file__, "tables/people_popular.sql", undo="DROP TABLE IF EXISTS people_popular"),
        *(
            create(__file__, f"materialized/{view}.sql", undo=f"DROP VIEW IF EXISTS {view}")
            for view in ("people_tokens_mv", *VIEWS)
        ),
        *(run(statement, undo="") for statement in FACTS),
        create(__file__, "tables/blockers.sql", undo="DROP TABLE IF EXISTS blockers"),
        create(__file__, "materialized/blockers_mv.sql", undo="DROP VIEW IF EXISTS blockers_mv"),
        run(BLOCKERS, undo=""),
        migrations.AddField(
            model_name="actorprofile",
            name="labels",
            field=clickhouse_backend.models.ArrayField(
                base_field=clickhouse_backend.models.StringField(low_cardinality=True)
            ),
        ),
        migrations.CreateModel(
            name="PersonFact",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "did", "fact", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("did", clickhouse_backend.models.StringField()),
                ("fact", clickhouse_backend.models.StringField(low_cardinality=True)),
                ("value", clickhouse_backend.models.StringField()),
                ("words", clickhouse_backend.models.StringField()),
                ("version", clickhouse_backend.models.UInt64Field()),
            ],
            options={"db_table": "people_facts", "managed": False},
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_overwrite_base_manager", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="Blocker",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "subject_did", "did", "rkey", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject_did", clickhouse_backend.models.StringField()),
                ("did", clickhouse_backend.models.StringField()),
                ("rkey", clickhouse_backend.models.StringField()),
                ("version", clickhouse_backend.models.UInt64Field()),
            ],
            options={"db_table": "blockers", "managed": False},
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_overwrite_base_manager", django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name="PopularBeginning",
            fields=[
                ("prefix", clickhouse_backend.models.StringField(primary_key=True, serialize=False)),
                (
                    "dids",
                    clickhouse_backend.models.ArrayField(base_field=clickhouse_backend.models.StringField()),
                ),
                (
                    "followers",
                    clickhouse_backend.models.ArrayField(base_field=clickhouse_backend.models.UInt64Field()),
                ),
                ("computed_at", clickhouse_backend.models.DateTimeField()),
            ],
            options={"db_table": "people_popular", "managed": False},
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("_overwrite_base_manager", django.db.models.manager.Manager()),
            ],
        ),
    ]
