"""The right to pause all clean-ups."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("atsite", "0002_plain_words"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="siteright",
            options={
                "default_permissions": (),
                "managed": False,
                "permissions": [
                    ("see_numbers", "Can see the numbers of the overview"),
                    ("preview_feed", "Can preview a feed as its readers see it"),
                    ("refresh_feed", "Can refresh a feed now"),
                    ("publish_feed", "Can publish and unpublish a feed"),
                    ("mint_key", "Can create an API key"),
                    ("rotate_key", "Can give an API key a new secret"),
                    ("revoke_key", "Can revoke an API key for good"),
                    ("bulk_label", "Can add and remove many members at once"),
                    ("export_labels", "Can download the list of members"),
                    ("backfill", "Can fetch an actor's earlier posts"),
                    ("purge_author", "Can purge an author's data and stop indexing the author"),
                    ("retry_dead_letters", "Can try dead letters again"),
                    ("cancel_job", "Can cancel a clean-up"),
                    ("retry_job", "Can try a clean-up again"),
                    ("pause_cleanups", "Can pause all clean-ups, and let them go on"),
                ],
            },
        ),
    ]
