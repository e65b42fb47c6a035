from __future__ import annotations

from django.apps import AppConfig


class LabelsConfig(AppConfig):
    """Labels of actors, blocks, and actors that are not indexed."""

    name = "labels"

    def ready(self) -> None:
        from indexer.index.needed_actors import TO_FILL, TO_STREAM
        from labels.actors_to_fill import labelled_actors

        TO_FILL.provide(labelled_actors, order=10)
        TO_STREAM.provide(labelled_actors)
