"""django-ninja with one operation that validates the parameters of a feed and returns a constant page.

Served as `bench.ninja_page:application`; the page is the file that BENCH_PAGE names.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[], SECRET_KEY="b" * 50)
from ninja import NinjaAPI, Query, Schema  # noqa: E402 - it reads the settings when it is imported

PAGE = Path(os.environ["BENCH_PAGE"]).read_bytes()


class Parameters(Schema):
    """As those of getFeedSkeleton."""

    feed: str
    limit: int = 50
    cursor: str | None = None


application = get_asgi_application()
api = NinjaAPI(docs_url=None, openapi_url=None)


@api.get("/app.bsky.feed.getFeedSkeleton")
async def page(request: HttpRequest, query: Query[Parameters]) -> HttpResponse:
    """The page."""
    return HttpResponse(PAGE, content_type="application/json")


urlpatterns = [path("xrpc/", api.urls)]
