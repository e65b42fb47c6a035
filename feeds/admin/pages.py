"""The pages of one feed besides its form (preview, usage, publishing), and their actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.utils import timezone

from atsite.core import charts
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.clock import now_us
from atsite.core.errors import AtsiteError, InvalidSyntax
from atsite.core.roles import Right, demand, may
from feeds.admin import actor_address
from feeds.admin.blocks import BlockPages
from feeds.admin.page_base import feed_of, sentence
from feeds.admin.preview import preview
from feeds.admin.query_pages import QueryPages
from feeds.kinds import KINDS
from feeds.publishing import actions
from feeds.ranking import refresh
from feeds.ranking.ranking import RankedFeed
from feeds.usage import usage_report

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from atsite.core.atproto.syntax import Did
    from feeds.usage.usage_report import FeedUsageReport


class FeedPages(BlockPages, QueryPages):
    """Mixin for the ModelAdmin of feeds; must come before it among the bases."""

    #: The right that each page needs (tests/admin/test_doors.py).
    url_rights = {
        "feeds_feeddefinition_preview": Right.PREVIEW_FEED,
        "feeds_feeddefinition_refresh": Right.REFRESH_FEED,
        "feeds_feeddefinition_use": "view",
        "feeds_feeddefinition_publishing": Right.PUBLISH_FEED,
        "feeds_feeddefinition_block": Right.PREVIEW_FEED,
        "feeds_feeddefinition_refuse": Right.PURGE_AUTHOR,
        **QueryPages.url_rights,
    }

    own_pages = {
        **{name: f"<int:pk>/{name}/" for name in ("preview", "refresh", "use", "publishing", "block", "refuse")},
        **QueryPages.own_pages,
    }

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Preview the feed as readers get it, page by page."""
        demand(request, Right.PREVIEW_FEED)
        row = self._viewed(request, pk)
        if row is None:
            return self._list()
        reader, problem = _reader(request.GET.get("as", ""))
        shown = None
        ranked = False
        if not problem:
            try:
                feed, data = feed_of(row)
                ranked = isinstance(feed, RankedFeed)
                shown = preview(feed, data, cursor=request.GET.get("cursor", ""), viewer=reader)
            except AtsiteError as error:  # an invalid definition, a cursor of another list, a store that is down
                problem = sentence(error)
        context = {
            "shown": shown,
            "kind": KINDS.get(row.kind),
            "problem": problem,
            "reader": reader,
            "asked": request.GET.get("as", ""),
            "first": _position(request.GET.get("from", "")),
            "following": _position(request.GET.get("from", "")) + (len(shown.rows) if shown else 0),
            "may_refresh": ranked and may(request.user, Right.REFRESH_FEED),
            "may_block": request.user.has_perm("labels.add_block"),
            "may_refuse": may(request.user, Right.PURGE_AUTHOR),
        }
        return self._page(request, row, "feeds/preview.html", f"Preview of {row.rkey}", "preview", **context)

    def refresh_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Refresh the feed's ranking now and show the outcome."""
        demand(request, Right.REFRESH_FEED)
        row = self._viewed(request, pk)
        if row is None or request.method != "POST":
            return self._list() if row is None else self._to(row, "preview")
        try:
            feed, data = feed_of(row)
        except AtsiteError as error:
            messages.error(request, sentence(error))
            return self._to(row, "preview")
        if not isinstance(feed, RankedFeed):
            messages.info(
                request, "This feed has no stored ranking: each page is read fresh, so there is nothing to refresh."
            )
            return self._to(row, "preview")
        (done,) = refresh.refresh_due([feed], data.generations, now=now_us(), force=True)
        message = _REFRESHED[done.outcome].format(posts=done.posts)
        if done.outcome == "published":
            self.log_change(request, row, "Refreshed.")
        messages.add_message(request, messages.SUCCESS if done.outcome == "published" else messages.WARNING, message)
        return self._to(row, "preview")

    def use_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The usage of the feed."""
        row = self._viewed(request, pk)
        if row is None:
            return self._list()
        context: dict[str, Any] = {}
        try:
            use = usage_report.for_feed(row.rkey, now=timezone.now())
            context = {"use": use, "charts": _charts(use)}
        except ClickHouseError:
            context = {"problem": "ClickHouse does not answer now. Nothing is lost: try again in a moment."}
        return self._page(request, row, "feeds/use.html", f"Usage of {row.rkey}", "use", **context)

    def publishing_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Publish, unpublish or check the feed."""
        demand(request, Right.PUBLISH_FEED)
        row = self._viewed(request, pk)
        if row is None:
            return self._list()
        outcome = None
        if request.method == "POST":
            outcome = actions.act(row, request.POST.get("action", ""))
            if outcome.changed:
                self.log_change(request, row, outcome.sentence)
        context = {"outcome": outcome, "requirements": actions.requirements(row)}
        return self._page(request, row, "feeds/publishing.html", f"Publishing {row.rkey}", "publishing", **context)


_REFRESHED = {
    "published": "Refreshed: {posts} posts. Readers get them with their next first page.",
    "empty": "No post qualifies now, so readers keep the previous list ({posts} posts). Are the limits too high?",
    "busy": "Another refresh of this feed is running: try again in a moment.",
    "failed": "The refresh failed: a store does not answer, or took too long. Readers keep the previous list.",
}


def _reader(text: str) -> tuple[Did | None, str]:
    """The reader to preview as (None: not logged in), and an error message for what was entered."""
    if not text.strip():
        return None, ""
    try:
        return actor_address.read(text), ""
    except InvalidSyntax as error:
        return None, str(error)


def _position(text: str) -> int:
    """The number of posts on the previous pages; only for display."""
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def _charts(use: FeedUsageReport) -> list[charts.Chart]:
    def chart(caption: str, values: list[int]) -> charts.Chart:
        return charts.bars(caption, [(f"{day.day:%-d %b}", value) for day, value in zip(use.days, values, strict=True)])

    return [
        chart("Requests", [day.requests for day in use.days]),
        chart("Logged-in readers per day", [day.readers for day in use.days]),
        chart("Interactions", [day.interactions for day in use.days]),
    ]
