"""Django with one view that returns a constant page: the cost of server and framework alone.

Served as `bench.bare_django:application`; the page is the file that BENCH_PAGE names.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

PAGE = Path(os.environ["BENCH_PAGE"]).read_bytes()


async def page(request: HttpRequest) -> HttpResponse:
    """The page."""
    return HttpResponse(PAGE, content_type="application/json")


urlpatterns = [path("xrpc/app.bsky.feed.getFeedSkeleton", page)]
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[], SECRET_KEY="b" * 50)
application = get_asgi_application()
