"""The app of the feed generator."""

from __future__ import annotations

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    name = "feeds"

    def ready(self) -> None:
        from feeds import checks, traffic  # noqa: F401 - register themselves
