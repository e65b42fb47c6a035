"""The app of the feed generator."""

from __future__ import annotations

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    name = "feeds"

    def ready(self) -> None:
        from apikeys import feed_choices
        from feeds import checks, definitions  # noqa: F401 - they register themselves
        from feeds.usage import read_models  # noqa: F401 - they register themselves
        from labels import feed_names

        feed_choices.told_by(definitions.with_members)
        feed_names.told_by(definitions.names)
