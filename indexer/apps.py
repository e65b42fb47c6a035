from __future__ import annotations

from django.apps import AppConfig


class IndexerConfig(AppConfig):
    """The app with every table and view that is made from the network's events."""

    name = "indexer"

    def ready(self) -> None:
        from indexer.fill.due_actors import recent_posters
        from indexer.index.needed_actors import TO_FILL

        TO_FILL.provide(recent_posters, order=40)
