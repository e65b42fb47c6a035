"""Bulk changes become jobs (atsite.core.jobs): `step` is the fence now, and each confirmed one has a due time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations, models
from django.utils import timezone

from atsite.core.routers import DEFAULT

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def confirmed_are_due(apps: Apps, schema_editor: BaseDatabaseSchemaEditor | None) -> None:
    """What was being done when the site stopped is gone on with by the next task."""
    apps.get_model("labels", "BulkChange").objects.filter(state="applying").update(next_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("labels", "0004_who_changed_and_bulk_changes")]
    operations = [
        migrations.RenameField(model_name="bulkchange", old_name="step", new_name="fence"),
        migrations.AlterField(
            model_name="bulkchange",
            name="fence",
            field=models.PositiveBigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="bulkchange",
            name="cancel_asked_by",
            field=models.CharField(blank=True, editable=False, max_length=150),
        ),
        migrations.AddField(
            model_name="bulkchange",
            name="leased_until",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="bulkchange",
            name="next_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="goes on"),
        ),
        migrations.AddField(
            model_name="bulkchange",
            name="reason",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="bulkchange",
            name="tries",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="bulkchange",
            name="finished_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="finished"),
        ),
        migrations.AlterField(
            model_name="bulkchange",
            name="state",
            field=models.CharField(
                choices=[
                    ("finding", "looking up the actors"),
                    ("ready", "waits for your word"),
                    ("applying", "being done"),
                    ("done", "done"),
                    ("cancelled", "cancelled"),
                    ("failed", "failed"),
                ],
                default="finding",
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="bulkchange",
            index=models.Index(fields=["next_at"], name="labels_bulkchange_next"),
        ),
        migrations.AddIndex(
            model_name="bulkchange",
            index=models.Index(fields=["leased_until"], name="labels_bulkchange_leased"),
        ),
        migrations.RunPython(confirmed_are_due, migrations.RunPython.noop, hints={"database": DEFAULT}),
    ]
