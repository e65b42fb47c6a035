"""The app of identities."""

from __future__ import annotations

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """Its one table holds the signing keys of label members."""

    name = "atsite.core.identity"
    label = "identity"
    verbose_name = "Identities"
