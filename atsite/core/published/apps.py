"""The app of published copies."""

from __future__ import annotations

from django.apps import AppConfig


class PublishConfig(AppConfig):
    """Its own table is one row: the last issued version."""

    name = "atsite.core.published"
    label = "publish"
    verbose_name = "Published copies"
