"""The feeds that every site begins with, and the labels that two of them name. People change them from here on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import migrations

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

LABELS: Final = {
    "mpls": "People of Minneapolis; opens the feed a-mpls.",
    "tqsp": "Authors of the feed cl-tqsp.",
}

FEEDS: Final[list[dict[str, Any]]] = [
    {
        "rkey": "whats-hot",
        "kind": "hot",
        "display_name": "What's Hot",
        "description": "The posts of the last day that the network likes most.",
    },
    {
        "rkey": "top-1h",
        "kind": "top",
        "parameters": {"hours": 1, "min_likes": 10},
        "display_name": "Top: last hour",
        "description": "The most liked posts of the last hour.",
    },
    {
        "rkey": "top-24h",
        "kind": "top",
        "parameters": {"hours": 24, "min_likes": 10, "refresh_seconds": 600},
        "display_name": "Top: last 24 hours",
        "description": "The most liked posts of the last 24 hours.",
    },
    {
        "rkey": "a-mpls",
        "kind": "label",
        "parameters": {"label": "mpls"},
        "display_name": "Minneapolis",
        "description": "What the people of Minneapolis post; for them alone.",
        "visibility": "private",
    },
    {
        "rkey": "cl-tqsp",
        "kind": "label",
        "parameters": {"label": "tqsp"},
        "display_name": "TQSP",
        "description": "What the authors of this community post.",
    },
    {
        "rkey": "bangers",
        "kind": "static",
        "display_name": "Bangers",
        "description": "Posts that were chosen by hand.",
    },
    {
        "rkey": "at-bangers",
        "kind": "static",
        "display_name": "All-Time Bangers",
        "description": "Posts of all time that were chosen by hand.",
    },
]


def add(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Also where a feed was deleted meanwhile: nothing of it is left, so it is made anew."""
    label, feed = apps.get_model("labels", "Label"), apps.get_model("feeds", "FeedDefinition")
    for name, meaning in LABELS.items():
        label.objects.get_or_create(name=name, defaults={"meaning": meaning})
    for row in FEEDS:
        feed.objects.get_or_create(publisher="", rkey=row["rkey"], defaults=row)


class Migration(migrations.Migration):
    dependencies = [("feeds", "0103_definitions"), ("labels", "0003_labels_members_blocks")]

    operations = [
        # Going back drops the table; the labels stay, as members may carry them by then.
        migrations.RunPython(add, migrations.RunPython.noop, hints={"database": "default"}),
    ]
