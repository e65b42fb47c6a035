"""The scope `labels` opened the members of the feeds that a key covers; that is `members` now, and `labels` opens more.

Each key that had it is published again. What its history says is renamed, too: it would say more than was ever given.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

OF_FEEDS = "members"
BEFORE = "labels"


def forward(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    _rename(apps, {BEFORE: OF_FEEDS})


def backward(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A key that may change any label may change none before: `labels` would open other things there."""
    _rename(apps, {OF_FEEDS: BEFORE, BEFORE: None})


def _rename(apps: Apps, names: dict[str, str | None]) -> None:
    issued, _ = apps.get_model("publish", "LastIssued").objects.select_for_update().get_or_create(id=1)
    for key in apps.get_model("apikeys", "ApiKey").objects.order_by("pk"):
        scopes = _renamed(key.scopes, names)
        if scopes != key.scopes:
            issued.time_us = max(time.time_ns() // 1000, issued.time_us + 1)
            key.scopes, key.time_us = scopes, issued.time_us
            key.save(update_fields=["scopes", "time_us"])
    issued.save(update_fields=["time_us"])
    for entry in apps.get_model("apikeys", "HistoricalApiKey").objects.order_by("pk").iterator():
        scopes = _renamed(entry.scopes, names)
        if scopes != entry.scopes:
            entry.scopes = scopes
            entry.save(update_fields=["scopes"])


def _renamed(scopes: list[str], names: dict[str, str | None]) -> list[str]:
    renamed = [names.get(scope, scope) for scope in scopes]
    return [scope for scope in renamed if scope is not None]


class Migration(migrations.Migration):
    dependencies = [("apikeys", "0005_rotation"), ("publish", "0001_initial")]

    operations = [migrations.RunPython(forward, backward, hints={"database": "default"})]
