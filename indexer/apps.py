from __future__ import annotations

from django.apps import AppConfig


class IndexerConfig(AppConfig):
    """Owns every table and view that is made from the network's events."""

    name = "indexer"
