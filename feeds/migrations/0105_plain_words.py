"""Help texts, labels and choices in plainer words. No column changes."""

from __future__ import annotations

from django.db import migrations, models

import feeds.models


class Migration(migrations.Migration):
    dependencies = [
        ("feeds", "0104_first_feeds"),
    ]

    operations = [
        migrations.AlterField(
            model_name="feeddefinition",
            name="publisher",
            field=models.CharField(
                blank=True,
                help_text="The did of the account that publishes this feed. Empty: FEED_ACTOR_DID.",
                max_length=2048,
                validators=[feeds.models.validate_publisher],
            ),
        ),
        migrations.AlterField(
            model_name="feeddefinition",
            name="rkey",
            field=models.CharField(
                help_text="The record key: the last part of its address.",
                max_length=512,
                validators=[feeds.models.validate_name],
                verbose_name="name",
            ),
        ),
        migrations.AlterField(
            model_name="feeddefinition",
            name="visibility",
            field=models.CharField(
                choices=[("public", "everyone can read it"), ("private", "only members of its label can read it")],
                default="public",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="historicalfeeddefinition",
            name="publisher",
            field=models.CharField(
                blank=True,
                help_text="The did of the account that publishes this feed. Empty: FEED_ACTOR_DID.",
                max_length=2048,
                validators=[feeds.models.validate_publisher],
            ),
        ),
        migrations.AlterField(
            model_name="historicalfeeddefinition",
            name="rkey",
            field=models.CharField(
                help_text="The record key: the last part of its address.",
                max_length=512,
                validators=[feeds.models.validate_name],
                verbose_name="name",
            ),
        ),
        migrations.AlterField(
            model_name="historicalfeeddefinition",
            name="visibility",
            field=models.CharField(
                choices=[("public", "everyone can read it"), ("private", "only members of its label can read it")],
                default="public",
                max_length=16,
            ),
        ),
    ]
