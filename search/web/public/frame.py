"""What every view of the public page has: a limit for each address, its headers, and sentences instead of errors."""

from __future__ import annotations

import logging
import math
import traceback
from functools import wraps
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError
from django.shortcuts import render
from django.views.decorators.http import require_safe

from atsite.core.clickhouse.errors import ClickHouseError, QueryTimedOut
from atsite.core.config import config
from atsite.core.kv.rate_limit import RateLimit
from atsite.core.web import page_headers
from atsite.core.web.auth import client_address
from atsite.core.web.store_timeouts import StoreAway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

logger = logging.getLogger("atsite.public_page")

#: No script at all, nothing of another site, and no form that leaves this one.
POLICY: Final = page_headers.policy(scripts=False)
HEADERS: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # The address of a page says what was searched for: no cache that people share keeps it, no link tells it.
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
TOO_MANY: Final = "That was fast: please wait {} seconds, then load this page again."
TIMED_OUT: Final = "This took too long. Try a search with more words, or a shorter period, such as since:2026-05-01."
AWAY: Final = "The index does not answer at the moment. Try again in a minute."
BROKEN: Final = "Something went wrong here. Try again; if it happens again, tell the people who run this site."

_pages = RateLimit("public-page-address")


def page(function: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A view of the public page. It answers GET and HEAD, and counts for the limit of its address."""

    @wraps(function)
    def framed(request: HttpRequest) -> HttpResponse:
        response = _answered(request, function)
        for name, value in HEADERS.items():
            response[name] = value
        page_headers.guard(response, POLICY)
        return response

    return require_safe(framed)


def _answered(request: HttpRequest, function: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    wait = _pages.take(client_address(request), config.search.public_page_per_minute)
    if wait:
        seconds = math.ceil(wait)
        return _message(request, 429, "Please wait a moment", TOO_MANY.format(seconds), retry=seconds)
    try:
        return function(request)
    except QueryTimedOut:
        return _message(request, 504, "This took too long", TIMED_OUT)
    except (StoreAway, DatabaseError) as error:
        return _away(request, error)
    except ClickHouseError as error:
        return _away(request, error) if error.retryable else _broken(request, error)
    except Exception as error:
        return _broken(request, error)


def shown(request: HttpRequest, template: str, context: Mapping[str, object], *, status: int = 200) -> HttpResponse:
    """A page of `templates/public`."""
    names = {"site_name": config.search.public_page_name, "at": template}
    return render(request, f"public/{template}.html", {**names, **context}, status=status)


def _message(request: HttpRequest, status: int, title: str, text: str, *, retry: int | None = None) -> HttpResponse:
    response = shown(request, "message", {"title": title, "text": text}, status=status)
    if retry is not None:
        response["Retry-After"] = str(retry)
    return response


def _away(request: HttpRequest, error: Exception) -> HttpResponse:
    """Logs the class alone: the text of an error may quote a statement, and so what was searched for."""
    logger.warning("a store failed on the public page: %s", type(error).__name__)
    return _message(request, 503, "Not available now", AWAY, retry=60)


def _broken(request: HttpRequest, error: Exception) -> HttpResponse:
    """Logs the class and where it was raised, for the same reason."""
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("unexpected %s on the public page\n%s", type(error).__name__, where)
    return _message(request, 500, "Something went wrong", BROKEN)
