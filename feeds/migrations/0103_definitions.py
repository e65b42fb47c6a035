"""The feeds of the site, as people define them."""

from __future__ import annotations

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import feeds.models


class Migration(migrations.Migration):
    dependencies = [
        ("feeds", "0102_read_models"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedDefinition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "publisher",
                    models.CharField(
                        blank=True,
                        help_text="Did of the account that publishes it; empty: FEED_ACTOR_DID.",
                        max_length=2048,
                        validators=[feeds.models.validate_publisher],
                    ),
                ),
                (
                    "rkey",
                    models.CharField(
                        help_text="Record key, the last part of its address.",
                        max_length=512,
                        validators=[feeds.models.validate_name],
                        verbose_name="name",
                    ),
                ),
                ("kind", models.CharField(max_length=32)),
                (
                    "parameters",
                    models.JSONField(blank=True, default=dict),
                ),
                ("display_name", models.CharField(max_length=24)),
                ("description", models.TextField(blank=True, max_length=300)),
                (
                    "visibility",
                    models.CharField(
                        choices=[
                            ("public", "everybody reads it"),
                            ("private", "only those who carry its label read it"),
                        ],
                        default="public",
                        max_length=16,
                    ),
                ),
                ("pinned_post", models.CharField(blank=True, max_length=2648, validators=[feeds.models.validate_post])),
                (
                    "instructions_post",
                    models.CharField(blank=True, max_length=2648, validators=[feeds.models.validate_post]),
                ),
                ("enabled", models.BooleanField(default=True)),
            ],
            options={
                "verbose_name": "feed",
                "ordering": ("rkey", "publisher"),
                "constraints": [
                    models.UniqueConstraint(fields=("publisher", "rkey"), name="feeds_feeddefinition_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="HistoricalFeedDefinition",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                (
                    "publisher",
                    models.CharField(
                        blank=True,
                        help_text="Did of the account that publishes it; empty: FEED_ACTOR_DID.",
                        max_length=2048,
                        validators=[feeds.models.validate_publisher],
                    ),
                ),
                (
                    "rkey",
                    models.CharField(
                        help_text="Record key, the last part of its address.",
                        max_length=512,
                        validators=[feeds.models.validate_name],
                        verbose_name="name",
                    ),
                ),
                ("kind", models.CharField(max_length=32)),
                (
                    "parameters",
                    models.JSONField(blank=True, default=dict),
                ),
                ("display_name", models.CharField(max_length=24)),
                ("description", models.TextField(blank=True, max_length=300)),
                (
                    "visibility",
                    models.CharField(
                        choices=[
                            ("public", "everybody reads it"),
                            ("private", "only those who carry its label read it"),
                        ],
                        default="public",
                        max_length=16,
                    ),
                ),
                ("pinned_post", models.CharField(blank=True, max_length=2648, validators=[feeds.models.validate_post])),
                (
                    "instructions_post",
                    models.CharField(blank=True, max_length=2648, validators=[feeds.models.validate_post]),
                ),
                ("enabled", models.BooleanField(default=True)),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical feed",
                "verbose_name_plural": "historical feeds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="HistoricalPinnedPost",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("position", models.IntegerField(default=0)),
                (
                    "uri",
                    models.CharField(max_length=2648, validators=[feeds.models.validate_post], verbose_name="post"),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "feed",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="feeds.feeddefinition",
                    ),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical post of a static feed",
                "verbose_name_plural": "historical posts of static feeds",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name="PinnedPost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.IntegerField(default=0)),
                (
                    "uri",
                    models.CharField(max_length=2648, validators=[feeds.models.validate_post], verbose_name="post"),
                ),
                (
                    "feed",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="posts", to="feeds.feeddefinition"
                    ),
                ),
            ],
            options={
                "verbose_name": "post of a static feed",
                "verbose_name_plural": "posts of static feeds",
                "ordering": ("feed", "position", "id"),
                "constraints": [models.UniqueConstraint(fields=("feed", "uri"), name="feeds_pinnedpost_once")],
            },
        ),
    ]
