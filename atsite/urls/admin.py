"""What the admin service (8090) answers."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import admin
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.log import log_response
from django.views import defaults
from django.views.generic import RedirectView

from atsite.core.web.xrpc import WRONG_HOST


def health(request: HttpRequest) -> HttpResponse:
    """Whether this process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: says it if the Host is not one of this site, never which Host was sent."""
    if isinstance(exception, DisallowedHost):
        return HttpResponse(f"{WRONG_HOST}\n", content_type="text/plain", status=HTTPStatus.BAD_REQUEST)
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403, with one line in the log: a role that does not reach is no fault, and needs no traceback."""
    response = defaults.permission_denied(request, exception)
    log_response("Forbidden (Permission denied): %s", request.path, response=response, request=request)
    return response


handler400, handler403 = bad_request, forbidden

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
