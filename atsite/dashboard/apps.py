"""The admin's own start: which site `django.contrib.admin.site` is."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class AtsiteAdminConfig(AdminConfig):
    """Takes the place of "django.contrib.admin" in INSTALLED_APPS."""

    default_site = "atsite.dashboard.admin_site.Site"
