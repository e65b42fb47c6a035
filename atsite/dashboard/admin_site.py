"""The admin site: unfold's, without its queries on every page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from atsite.core.roles import Right, may
from atsite.dashboard import overview, setup_checklist

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.urls import URLPattern, URLResolver


class Site(UnfoldAdminSite):  # type: ignore[misc]
    """`django.contrib.admin.site`."""

    index_title = "Overview"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without "view on site": no row has a page elsewhere, and rows that `default` does not have would be a 500."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Without unfold's colours, an inline <style>: they are in our own stylesheet."""
        return {**super().each_context(request), "colors": None}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The overview: the setup checklist of a new site, and the numbers for users who may see them."""
        context = {**(extra_context or {}), "steps": setup_checklist.open_steps(request.user)}
        if may(request.user, Right.SEE_NUMBERS):
            context["overview"] = overview.current()
        return super().index(request, context)  # type: ignore[no-any-return]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Pages of the sidebar whose name contains the typed word (Ctrl+K). Unfold's own caches answers in Redis."""
        word = request.GET.get("s", "").strip().lower()
        if not word:
            return HttpResponse()
        paginator = Paginator(
            [page for page in self._pages(request) if word in f"{page.description} {page.title}".lower()], 100
        )
        extended = "extended" in request.GET
        context = {"page_obj": paginator, "results": paginator.page(1), "page_counter": 0, "execution_time": 0}
        template = f"unfold/helpers/{'command' if extended else 'search'}_results.html"
        return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})

    def _pages(self, request: HttpRequest) -> Iterator[SearchResult]:
        for group in self.get_sidebar_list(request):
            for item in group["items"]:
                if item["has_permission"]:
                    yield SearchResult(item["title"], group.get("title", ""), str(item["link"]), item["icon"])
