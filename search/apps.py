from __future__ import annotations

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Search in posts and actors, and statistics."""

    name = "search"

    def ready(self) -> None:
        from indexer.index.needed_actors import TO_FILL
        from search.posts.recently_shown import shown_authors

        TO_FILL.provide(shown_authors, order=30)
