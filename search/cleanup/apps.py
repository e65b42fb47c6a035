from __future__ import annotations

from django.apps import AppConfig


class CleanupConfig(AppConfig):
    """Owns the clean-up jobs and what their batches did."""

    name = "search.cleanup"
    verbose_name = "Clean-up"
