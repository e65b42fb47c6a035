"""On a new site the two feeds of communities are off until their label has a member."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import migrations, models

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

#: The feeds of 0104 that show nothing without members, and their labels.
COMMUNITIES: Final = {"a-mpls": "mpls", "cl-tqsp": "tqsp"}


def wait(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Only on a new site, which has no user yet, and only a feed that nobody changed since 0104."""
    user = apps.get_model(settings.AUTH_USER_MODEL)
    if user.objects.exists():
        return
    feed, history = apps.get_model("feeds", "FeedDefinition"), apps.get_model("feeds", "HistoricalFeedDefinition")
    member = apps.get_model("labels", "ActorLabel")
    for rkey, label in COMMUNITIES.items():
        for row in feed.objects.filter(publisher="", rkey=rkey, parameters__label=label):
            if not history.objects.filter(id=row.pk).exists() and not member.objects.filter(label_id=label).exists():
                feed.objects.filter(pk=row.pk).update(enabled=False, waits_for_members=True)


class Migration(migrations.Migration):
    dependencies = [
        ("feeds", "0106_sender_of_interactions"),
        ("labels", "0003_labels_members_blocks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(
            migrations.AddField(
                model_name=name,
                name="waits_for_members",
                field=models.BooleanField(
                    default=False,
                    help_text="While the feed is switched off: switch it on when its label gets a member.",
                    verbose_name="switch on with the first member",
                ),
            )
            for name in ("feeddefinition", "historicalfeeddefinition")
        ),
        migrations.RunPython(wait, migrations.RunPython.noop, hints={"database": "default"}),
    ]
