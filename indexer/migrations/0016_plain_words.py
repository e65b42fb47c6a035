"""Plainer labels and help texts; no data changes."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("indexer", "0015_search_text"),
    ]

    operations = [
        migrations.AlterField(
            model_name="backfill",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "queued"),
                    ("running", "running"),
                    ("waiting", "will be retried"),
                    ("completed", "completed"),
                    ("gone", "the account is gone"),
                    ("failed", "failed"),
                ],
                default="queued",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="historicalrefusedactor",
            name="note",
            field=models.TextField(blank=True, help_text="The reason, for the operators of this site."),
        ),
        migrations.AlterField(
            model_name="refusedactor",
            name="note",
            field=models.TextField(blank=True, help_text="The reason, for the operators of this site."),
        ),
    ]
