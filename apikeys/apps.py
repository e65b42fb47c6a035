from __future__ import annotations

from django.apps import AppConfig


class ApiKeysConfig(AppConfig):
    """API keys for programs, and their usage."""

    name = "apikeys"
    verbose_name = "API keys"
