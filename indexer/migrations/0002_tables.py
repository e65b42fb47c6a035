"""Every table made from events, and the indexer's own."""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import create

TABLES = (
    "repo_records",
    "posts",
    "posts_by_actor",
    "likes",
    "reposts",
    "follows",
    "blocks",
    "engagement",
    "followers",
    "retractions",
    "actor_identities",
    "actor_accounts",
    "actor_profiles",
    "repo_floors",
    "daily_stats_actors",
    "daily_stats",
    "indexer_checkpoints",
    "stream_gaps",
    "dead_letters",
)


class Migration(migrations.Migration):
    dependencies = [("indexer", "0001_functions")]
    operations = [create(__file__, f"tables/{name}.sql", undo=f"DROP TABLE IF EXISTS {name}") for name in TABLES]
