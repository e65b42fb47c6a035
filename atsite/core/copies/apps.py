"""The app config of the copies."""

from __future__ import annotations

from django.apps import AppConfig


class CopiesConfig(AppConfig):
    """Its only table has one row: the last issued version. The label keeps the earlier name, which tables bear."""

    name = "atsite.core.copies"
    label = "publish"
    verbose_name = "Copies in ClickHouse"
