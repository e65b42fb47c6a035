from __future__ import annotations

from django.apps import AppConfig


class ApiKeysConfig(AppConfig):
    """Keys by which programs are let in, and how they are used."""

    name = "apikeys"
    verbose_name = "API keys"
