"""The few small files that a page for people loads, from the folder static: nothing is needed that serves folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.http import Http404, HttpResponse

from atsite.core.config import BASE_DIR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest

#: Seconds that a browser need not ask again: a new version of the page has its new style soon.
MAX_AGE: Final = 300


class PageFile(NamedTuple):
    """A file below the folder static, and its content type."""

    path: str
    kind: str


def serving(files: Mapping[str, PageFile]) -> Callable[[HttpRequest, str], HttpResponse]:
    """A view that answers with one of `files` by its name, and with Http404 for any other name."""

    def file(request: HttpRequest, name: str) -> HttpResponse:
        if name not in files:
            raise Http404
        found = files[name]
        response = HttpResponse((BASE_DIR / "static" / found.path).read_bytes(), content_type=found.kind)
        response["Cache-Control"] = f"public, max-age={MAX_AGE}"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    return file
