"""What the pages of a feed share: the feed, its tabs, and where to go next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from atsite.core.admin_base import OwnPages
from atsite.core.roles import Right, may
from feeds.models import FeedDefinition

if TYPE_CHECKING:
    from django.http import HttpRequest


class FeedPage(OwnPages):
    """Base of the mixins for the ModelAdmin of feeds; they must come before it among its bases."""

    def _page(
        self, request: HttpRequest, row: FeedDefinition | None, template: str, title: str, tab: str = "", **context: Any
    ) -> HttpResponse:
        """An admin page about a feed; admin pages are never cached."""
        return self.own_page(request, template, title, row=row, tab=tab, tabs=tabs_of(request, row), **context)

    def _viewed(self, request: HttpRequest, pk: int) -> FeedDefinition | None:
        """The feed, or None. Raises PermissionDenied."""
        row = FeedDefinition.objects.filter(pk=pk).first()
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    @staticmethod
    def _list() -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:feeds_feeddefinition_changelist"))

    @staticmethod
    def _to(row: FeedDefinition, page: str, query: str = "") -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:feeds_feeddefinition_{page}", args=(row.pk,)) + query)


def tabs_of(request: HttpRequest, row: FeedDefinition | None) -> list[tuple[str, str, str]]:
    """The pages of a feed that this user may open: name, title, URL."""
    if row is None:
        return []
    pages = [
        ("settings", "Settings", "change", True),
        ("preview", "Preview", "preview", may(request.user, Right.PREVIEW_FEED)),
        ("use", "Usage", "use", True),
        ("publishing", "Publishing", "publishing", may(request.user, Right.PUBLISH_FEED)),
    ]
    return [
        (name, title, reverse(f"admin:feeds_feeddefinition_{page}", args=(row.pk,)))
        for name, title, page, allowed in pages
        if allowed
    ]
