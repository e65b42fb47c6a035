"""What every view of the page has: its session, its CSRF check, its headers, and its host."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.shortcuts import render
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_protect

from atsite.core.config import config
from atsite.core.web import page_headers

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")

POLICY: Final = page_headers.policy(scripts=True)
NOT_FOUND: Final = "There is no such page, or it belongs to another account."
_with_session = decorator_from_middleware(SessionMiddleware)


def view(
    function: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A view of the page. Another host than CLEANUP_HOST gets a 404."""

    @wraps(function)
    def framed(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not is_our_host(request.get_host()):
            raise Http404
        try:
            response = function(request, *args, **kwargs)
        except Http404:
            response = shown(request, "message", status=404, title="Not found", text=NOT_FOUND)
        page_headers.guard(response, POLICY)
        return response

    return _with_session(csrf_protect(framed))  # type: ignore[return-value]  # the middleware keep the kind of answer


def is_our_host(host: str) -> bool:
    """Whether the page answers at a host (with or without port)."""
    return not config.cleanup.host or split_domain_port(host.lower())[0] == config.cleanup.host


def shown(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page of `templates/cleanup/page`."""
    return render(request, f"cleanup/page/{template}.html", context, status=status)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For a form that does not come from this page, or from a page that was open for too long (CSRF)."""
    text = "This form is too old, or your browser did not send its cookies. Open the page again."
    response = shown(request, "message", status=403, title="Please try again", text=text)
    response["Content-Security-Policy"] = POLICY
    response.is_page = True  # type: ignore[attr-defined]
    return response
