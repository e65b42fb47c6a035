"""Middleware for the paths of clean-ups: what they answer is for one person, and no cache keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from asgiref.sync import iscoroutinefunction
from django.utils.decorators import sync_and_async_middleware

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

#: The API, and the page for people.
PATHS: Final = ("/repo/cleanup", "/cleanup")
HEADERS: Final = {
    "Cache-Control": "no-store",
    # Not "no-referrer": browsers then send the Origin of a form as "null", which Django refuses.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@sync_and_async_middleware
def Private(
    get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]],
) -> Callable[[HttpRequest], Any]:
    """Adds HEADERS to all answers of these paths, errors included."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            return _marked(request, await cast("Awaitable[HttpResponseBase]", get_response(request)))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        return _marked(request, cast("HttpResponseBase", get_response(request)))

    return answer


def _marked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if request.path.startswith(PATHS):
        for name, value in HEADERS.items():
            response[name] = value
    return response
