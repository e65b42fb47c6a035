"""The project's own models: none with a table."""

from __future__ import annotations

from django.db import models

from atsite.core.roles import MEANINGS


class SiteRight(models.Model):
    """Holds the permissions of `atsite.core.roles.Right`, which belong to no other model."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [(right.value, f"Can {meaning}") for right, meaning in MEANINGS.items()]
