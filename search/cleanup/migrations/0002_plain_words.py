"""Help texts, labels and choices in plainer words. No column changes."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cleanup", "0001_clean_up_jobs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="cleanupbatch",
            name="records_gone",
            field=models.PositiveIntegerField(default=0, verbose_name="already gone"),
        ),
        migrations.AlterField(
            model_name="historicalrepocleanupjob",
            name="records_gone",
            field=models.PositiveBigIntegerField(default=0, verbose_name="already gone"),
        ),
        migrations.AlterField(
            model_name="historicalrepocleanupjob",
            name="state",
            field=models.CharField(
                choices=[
                    ("planning", "planning"),
                    ("planned", "planned, waiting for confirmation"),
                    ("running", "running"),
                    ("waiting", "waiting"),
                    ("needs_sign_in", "needs a new sign-in"),
                    ("completed", "completed"),
                    ("cancelled", "cancelled"),
                    ("failed", "failed"),
                ],
                default="planning",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="repocleanupjob",
            name="records_gone",
            field=models.PositiveBigIntegerField(default=0, verbose_name="already gone"),
        ),
        migrations.AlterField(
            model_name="repocleanupjob",
            name="state",
            field=models.CharField(
                choices=[
                    ("planning", "planning"),
                    ("planned", "planned, waiting for confirmation"),
                    ("running", "running"),
                    ("waiting", "waiting"),
                    ("needs_sign_in", "needs a new sign-in"),
                    ("completed", "completed"),
                    ("cancelled", "cancelled"),
                    ("failed", "failed"),
                ],
                default="planning",
                max_length=16,
            ),
        ),
    ]
