"""What the admin service (8090) answers."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView


def health(request: HttpRequest) -> HttpResponse:
    """Whether this process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", health),
    # Clean-ups were pages of the app `search`; links to them are in bookmarks and messages.
    path(
        "admin/search/repocleanupjob/<path:rest>",
        RedirectView.as_view(url="/admin/cleanup/repocleanupjob/%(rest)s", query_string=True, permanent=True),
    ),
    path(
        "admin/search/repocleanupjob/",
        RedirectView.as_view(url="/admin/cleanup/repocleanupjob/", query_string=True, permanent=True),
    ),
    path("admin/", admin.site.urls),
]
