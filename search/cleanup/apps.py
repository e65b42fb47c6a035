from __future__ import annotations

from django.apps import AppConfig


class CleanupConfig(AppConfig):
    """The clean-up jobs and their batches."""

    name = "search.cleanup"
    verbose_name = "Clean-up"
