"""The page `/docs` without a third host: its script and its style come from django-ninja's package."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import ninja
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path

_FOLDER: Final = Path(ninja.__file__).parent / "static" / "ninja"
#: What templates/ninja/swagger.html of the package names.
ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-init.js": "text/javascript",
    "favicon.svg": "image/svg+xml",
    "favicon.png": "image/png",
}


def asset(request: HttpRequest, name: str) -> HttpResponse:
    """One of ASSETS."""
    if name not in ASSETS:
        raise Http404
    headers = {"Cache-Control": "public, max-age=86400"}
    return HttpResponse((_FOLDER / name).read_bytes(), content_type=ASSETS[name], headers=headers)


urlpatterns: list[URLPattern] = [path("static/ninja/<str:name>", asset)]
