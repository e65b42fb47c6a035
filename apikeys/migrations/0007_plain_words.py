"""Help texts, labels and choices in plainer words. No column changes."""

from __future__ import annotations

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apikeys.models


class Migration(migrations.Migration):
    dependencies = [
        ("apikeys", "0006_scope_of_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="apikeyusage",
            options={"managed": False, "verbose_name": "API key usage", "verbose_name_plural": "API key usage"},
        ),
        migrations.AlterField(
            model_name="apikey",
            name="expires_at",
            field=models.DateTimeField(blank=True, help_text="Empty: the key never expires.", null=True),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="feeds",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Record keys of the feeds that the key covers.",
                validators=[apikeys.models.validate_feeds],
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="note",
            field=models.TextField(blank=True, help_text="What the key is used for, and where."),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="rate_limit",
            field=models.PositiveIntegerField(
                default=600,
                help_text="Calls per minute.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(1000000),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="apikey",
            name="user",
            field=models.ForeignKey(
                blank=True,
                help_text="The holder of the key.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="historicalapikey",
            name="expires_at",
            field=models.DateTimeField(blank=True, help_text="Empty: the key never expires.", null=True),
        ),
        migrations.AlterField(
            model_name="historicalapikey",
            name="feeds",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="Record keys of the feeds that the key covers.",
                validators=[apikeys.models.validate_feeds],
            ),
        ),
        migrations.AlterField(
            model_name="historicalapikey",
            name="note",
            field=models.TextField(blank=True, help_text="What the key is used for, and where."),
        ),
        migrations.AlterField(
            model_name="historicalapikey",
            name="rate_limit",
            field=models.PositiveIntegerField(
                default=600,
                help_text="Calls per minute.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(1000000),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="historicalapikey",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="The holder of the key.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
