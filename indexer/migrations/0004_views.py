"""The views that are read."""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import create

VIEWS = (
    "recent_posts",
    "recent_posts_with_score",
    "following_counts",
    "actors",
    "daily_stats_posts",
    "daily_stats_likes",
    "daily_stats_reposts",
    "daily_stats_graph",
    "daily_stats_distinct_actors",
)


class Migration(migrations.Migration):
    dependencies = [("indexer", "0003_materialized_views")]
    operations = [create(__file__, f"views/{name}.sql", undo=f"DROP VIEW IF EXISTS {name}") for name in VIEWS]
