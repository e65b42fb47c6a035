"""Help texts, labels and choices in plainer words. No column changes."""

from __future__ import annotations

from django.db import migrations, models

import labels.models


class Migration(migrations.Migration):
    dependencies = [
        ("labels", "0005_jobs"),
    ]

    operations = [
        migrations.AlterField(
            model_name="block",
            name="feed",
            field=models.CharField(
                blank=True,
                help_text="The record key of one feed. Empty: everywhere.",
                max_length=512,
                validators=[labels.models.validate_feed],
            ),
        ),
        migrations.AlterField(
            model_name="block",
            name="subject",
            field=models.CharField(
                help_text="A did or an at-uri.", max_length=3072, validators=[labels.models.validate_subject]
            ),
        ),
        migrations.AlterField(
            model_name="bulkchange",
            name="giving",
            field=models.BooleanField(verbose_name="adds the label"),
        ),
        migrations.AlterField(
            model_name="bulkchange",
            name="next_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="continues at"),
        ),
        migrations.AlterField(
            model_name="bulkchange",
            name="state",
            field=models.CharField(
                choices=[
                    ("finding", "looking up the actors"),
                    ("ready", "waiting for your confirmation"),
                    ("applying", "in progress"),
                    ("done", "done"),
                    ("cancelled", "cancelled"),
                    ("failed", "failed"),
                ],
                default="finding",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="historicalblock",
            name="feed",
            field=models.CharField(
                blank=True,
                help_text="The record key of one feed. Empty: everywhere.",
                max_length=512,
                validators=[labels.models.validate_feed],
            ),
        ),
        migrations.AlterField(
            model_name="historicalblock",
            name="subject",
            field=models.CharField(
                help_text="A did or an at-uri.", max_length=3072, validators=[labels.models.validate_subject]
            ),
        ),
        migrations.AlterField(
            model_name="historicallabel",
            name="meaning",
            field=models.TextField(blank=True, help_text="Who gets this label, and what it gives access to."),
        ),
        migrations.AlterField(
            model_name="historicallabel",
            name="name",
            field=models.SlugField(
                help_text="Short and permanent: feeds refer to the label by this name.", max_length=64
            ),
        ),
        migrations.AlterField(
            model_name="label",
            name="meaning",
            field=models.TextField(blank=True, help_text="Who gets this label, and what it gives access to."),
        ),
        migrations.AlterField(
            model_name="label",
            name="name",
            field=models.SlugField(
                help_text="Short and permanent: feeds refer to the label by this name.", max_length=64, unique=True
            ),
        ),
    ]
