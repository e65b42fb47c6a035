"""What happens once, when Django starts."""

from __future__ import annotations

from django.apps import AppConfig


class AtsiteConfig(AppConfig):
    """The project itself: commands, checks, and the ClickHouse backend made fit for it."""

    name = "atsite"

    def ready(self) -> None:
        """Runs before the first query of every process."""
        from atsite import granting
        from atsite.clickhouse import backend

        backend.install()
        granting.connect()
