"""Backfills become jobs (atsite.core.jobs): a lease of their own beside the due time, and a fence.

A backfill that runs during the migration had its lease in `next_at`. It keeps it there, and is due when it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import django.utils.timezone
from django.db import migrations, models

from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

ENDED = ("completed", "gone", "failed")


def ended_are_not_due(apps: Apps, schema_editor: BaseDatabaseSchemaEditor | None) -> None:
    """The worker's look for what is due passes rows without a due time by."""
    apps.get_model("indexer", "Backfill").objects.filter(state__in=ENDED).update(next_at=None)


class Migration(migrations.Migration):
    dependencies = [("indexer", "0011_raw_merges")]
    operations = [
        migrations.AddField(
            model_name="backfill",
            name="cancel_asked_by",
            field=models.CharField(blank=True, editable=False, max_length=150),
        ),
        migrations.AddField(
            model_name="backfill",
            name="fence",
            field=models.PositiveBigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="backfill",
            name="leased_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="backfill",
            name="finished_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="finished"),
        ),
        migrations.AlterField(
            model_name="backfill",
            name="next_at",
            field=models.DateTimeField(
                blank=True, default=django.utils.timezone.now, null=True, verbose_name="goes on"
            ),
        ),
        migrations.AlterField(
            model_name="backfill",
            name="tries",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.RenameIndex(
            model_name="backfill", old_name="indexer_backfill_due", new_name="indexer_backfill_next"
        ),
        migrations.AddIndex(
            model_name="backfill",
            index=models.Index(fields=["leased_until"], name="indexer_backfill_leased"),
        ),
        migrations.RunPython(ended_are_not_due, migrations.RunPython.noop, hints={"database": DEFAULT}),
    ]
