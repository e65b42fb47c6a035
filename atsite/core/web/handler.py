"""Django for the services that speak to programs: also what Django answers before any middleware has an XRPC body."""

from __future__ import annotations

from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, Final, cast

import django
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http import HttpRequest, HttpResponse

from atsite.core.web.xrpc import error_response, name_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http.response import HttpResponseBase

    from atsite.core.web.asgi import Application

UNREADABLE: Final = "the path, the query string or a header of the request cannot be read"


class ServiceHandler(ASGIHandler):
    """Django's ASGI application. A request that cannot be made from its bytes is the caller's fault: 400.

    Django says so for bytes that are not UTF-8, and lets other errors of its own reading through. They are of any
    class: an unknown charset in Content-Type (RFC 2231) is a LookupError, and a numbered charset beside a plain one
    a TypeError of the standard library.
    """

    def create_request(
        self, scope: Mapping[str, Any], body_file: IO[bytes]
    ) -> tuple[ASGIRequest, None] | tuple[None, HttpResponseBase]:
        try:
            request, refused = super().create_request(scope, body_file)
        except Exception:
            return None, error_response("InvalidRequest", UNREADABLE, HTTPStatus.BAD_REQUEST)
        if request is not None:
            return request, None
        status = HTTPStatus.BAD_REQUEST if refused is None else refused.status_code
        message = UNREADABLE if status == HTTPStatus.BAD_REQUEST else HTTPStatus(status).phrase
        return None, error_response(name_of(status), message, status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400 of the services: its own renders a template, which may read the request again and fail."""
    return unreadable(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The handler404; ErrorBodies knows what an unknown XRPC method is."""
    return HttpResponse("Not Found", content_type="text/plain", status=HTTPStatus.NOT_FOUND)


def service_application() -> Application:
    """As django.core.asgi.get_asgi_application."""
    django.setup(set_prefix=False)
    return cast("Application", ServiceHandler())
