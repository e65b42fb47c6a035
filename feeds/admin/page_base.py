"""What the pages of a feed share: the feed, its tabs, and where to go next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from atsite.core.admin_base import OwnPages
from atsite.core.config import config
from atsite.core.errors import AtsiteError
from atsite.core.roles import Right, may
from feeds.definition_from_row import definition_of
from feeds.kinds import KINDS, make_feed
from feeds.models import FeedDefinition
from feeds.serving.registry import registry

if TYPE_CHECKING:
    from django.http import HttpRequest

    from feeds.ranking.feed import Feed
    from feeds.ranking.page_data import FeedData


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


def feed_of(row: FeedDefinition) -> tuple[Feed, FeedData]:
    """The feed of a row, enabled or not. Raises AtsiteError."""
    if not (row.publisher or config.feed_actor_did):
        raise AtsiteError("FEED_ACTOR_DID is not set: set it to the account that publishes the feeds")
    data = registry().data
    listed = [post.uri for post in row.posts.all()] if row.pk else []
    return make_feed(definition_of(row, config, listed), data), data


def sentence(error: AtsiteError) -> str:
    """The message of an error as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def tabs_of(request: HttpRequest, row: FeedDefinition | None) -> list[tuple[str, str, str]]:
    """The pages of a feed that this user may open: name, title, URL."""
    if row is None:
        return []
    has_query = row.kind in KINDS and KINDS[row.kind].has_query
    pages = [
        ("settings", "Settings", "change", True),
        ("preview", "Preview", "preview", may(request.user, Right.PREVIEW_FEED)),
        ("why", "Why this post?", "why", has_query and may(request.user, Right.PREVIEW_FEED)),
        ("backtest", "Posts per day", "backtest", has_query and may(request.user, Right.PREVIEW_FEED)),
        ("use", "Usage", "use", True),
        ("publishing", "Publishing", "publishing", may(request.user, Right.PUBLISH_FEED)),
    ]
    return [
        (name, title, reverse(f"admin:feeds_feeddefinition_{page}", args=(row.pk,)))
        for name, title, page, allowed in pages
        if allowed
    ]
