"""The views that fill the tables: after all tables, so that no row arrives without its view.

A later change is `ALTER TABLE … MODIFY QUERY`, never DROP and CREATE: rows that arrive between the two are silently
missing.
"""

from __future__ import annotations

from django.db import migrations

from atsite.core.clickhouse.ddl import create

# A view on a view's target comes before the view that fills that target, so that no row passes it by.
VIEWS = (
    "posts_by_actor_mv",
    "engagement_posts_mv",
    "engagement_likes_mv",
    "engagement_reposts_mv",
    "followers_mv",
    "retractions_mv",
    "posts_mv",
    "likes_mv",
    "reposts_mv",
    "follows_mv",
    "blocks_mv",
    "actor_profiles_mv",
    "daily_stats_actors_mv",
)


class Migration(migrations.Migration):
    dependencies = [("indexer", "0002_tables")]
    operations = [create(__file__, f"materialized/{name}.sql", undo=f"DROP VIEW IF EXISTS {name}") for name in VIEWS]
