"""The app config of the admin: it sets `django.contrib.admin.site`."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class AtsiteAdminConfig(AdminConfig):
    """Replaces "django.contrib.admin" in INSTALLED_APPS."""

    default_site = "atsite.dashboard.admin_site.Site"
