"""The backfills that were asked for: what people's choices need, so the table is in `default`."""

from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("indexer", "0008_fills")]
    operations = [
        migrations.CreateModel(
            name="Backfill",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("did", models.CharField(max_length=2048, unique=True)),
                ("days", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waits for its turn"),
                            ("running", "running"),
                            ("waiting", "will be tried again"),
                            ("completed", "completed"),
                            ("gone", "the account is gone"),
                            ("failed", "failed"),
                        ],
                        default="queued",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("next_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("after_us", models.BigIntegerField(default=0)),
                ("progress", models.JSONField(default=dict)),
            ],
            options={
                "ordering": ("-requested_at",),
                "indexes": [models.Index(fields=["next_at"], name="indexer_backfill_due")],
            },
        ),
    ]
