"""The app of the feed generator."""

from __future__ import annotations

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    name = "feeds"

    def ready(self) -> None:
        from apikeys import feed_choices
        from feeds import checks, definitions, readings  # noqa: F401 - checks register themselves
        from feeds.usage import counting, read_models  # noqa: F401 - read models register themselves
        from labels import feed_names

        readings.page_read.connect(counting.count_reading)
        feed_choices.told_by(definitions.with_members)
        feed_names.told_by(definitions.names)
