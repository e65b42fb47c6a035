"""Pages of feeds made of a query: its faults, what unsaved settings show, why a post is in, how many posts a day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import JsonResponse

from atsite.core import charts
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.clock import now_us
from atsite.core.errors import AtsiteError, InvalidSyntax
from atsite.core.kv.announce import announce
from atsite.core.roles import Right, demand
from feeds import backtests
from feeds.admin import post_address, preview_queries
from feeds.admin.page_base import FeedPage, feed_of, sentence
from feeds.admin.readonly import PREFIX
from feeds.admin.trial import trial
from feeds.kinds import KINDS
from feeds.kinds.kind import MadeOfAQuery
from feeds.models import FeedDefinition
from feeds.ranking.feed import PostKey
from feeds.ranking.parameters import check_query
from indexer.index.handles import Name
from indexer.index.query import conditions
from indexer.index.query.parse import BadQuery, parse
from indexer.index.query.resolve import resolve
from indexer.index.query.write import write

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from feeds.models import Backtest

RUN_BACKTESTS: Final = "feeds.run_backtests"
#: The query of a new feed can be tried before it has a name and a publisher.
UNNAMED: Final = "unsaved"
UNINDEXED: Final = (
    "No index helps with this query, so it only finds posts of one day. To find older ones, add a word, a tag, a link"
    " or an account to each part of it."
)


class QueryPages(FeedPage):
    """Mixin for the ModelAdmin of feeds; must come before it among the bases."""

    url_rights = {
        "feeds_feeddefinition_query": "change",
        "feeds_feeddefinition_trial": "change",
        "feeds_feeddefinition_why": Right.PREVIEW_FEED,
        "feeds_feeddefinition_backtest": Right.PREVIEW_FEED,
    }
    own_pages = {
        "query": "query/",
        "trial": "trial/",
        "why": "<int:pk>/why/",
        "backtest": "<int:pk>/backtest/",
    }

    def query_view(self, request: HttpRequest) -> HttpResponse:
        """What is wrong with a query, for the script of its field: {problem, at, read_as, note}."""
        if not (self.has_change_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        return JsonResponse(_judged(request.POST.get("query", "")))

    def trial_view(self, request: HttpRequest) -> HttpResponse:
        """The first page of a feed as the submitted form would make it; nothing is saved."""
        row = FeedDefinition.objects.filter(pk=_number(request.GET.get("feed", ""))).first()
        allowed = self.has_change_permission(request, row) if row else self.has_add_permission(request)
        if not allowed:
            raise PermissionDenied
        if request.method != "POST":
            return self._list()
        kind = request.POST.get("form_kind", "")
        if kind not in KINDS:
            return self._list()
        form = self.get_form(request, row, change=row is not None)(request.POST, instance=row or FeedDefinition())
        wrong = [f"{form.fields[name].label}: {error}" for name, found in form.errors.items()
                 if name.startswith(PREFIX) for error in found]  # fmt: skip
        shown, problem = None, " ".join(wrong)
        if not problem:
            unsaved = form.instance
            unsaved.rkey = unsaved.rkey or UNNAMED
            try:
                shown = trial(*feed_of(unsaved))
            except AtsiteError as error:
                problem = sentence(error)
        title = f"{unsaved_name(row)}: as the unsaved settings show it"
        context = {"trial": True, "shown": shown, "problem": problem, "kind": KINDS[kind], "first": 0}
        return self._page(request, None, "feeds/preview.html", title, "preview", **context)

    def why_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Why a given post is in the feed, or is not."""
        demand(request, Right.PREVIEW_FEED)
        row = self._viewed(request, pk)
        if row is None:
            return self._list()
        asked = request.GET.get("post", "").strip()
        context: dict[str, Any] = {"asked": asked, "example": post_address.EXAMPLE}
        if asked:
            try:
                context |= _why(row, asked)
            except InvalidSyntax as error:
                context["problem"] = str(error)
            except AtsiteError as error:
                context["problem"] = sentence(error)
        return self._page(request, row, "feeds/why.html", f"Why a post is in {row.rkey}", "why", **context)

    def backtest_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How many posts a day the feed gives; a POST has them counted."""
        demand(request, Right.PREVIEW_FEED)
        row = self._viewed(request, pk)
        if row is None:
            return self._list()
        has_query = row.kind in KINDS and KINDS[row.kind].has_query
        if request.method == "POST" and has_query:
            if backtests.ask(row):
                announce(RUN_BACKTESTS)
            else:
                messages.info(request, "The posts of this feed are being counted already.")
            return self._to(row, "backtest")
        job: Backtest | None = getattr(row, "backtest", None)
        if request.headers.get("accept") == "application/json":  # static/atsite/progress.js
            return JsonResponse({"done": len(job.progress) if job else 0, "working": bool(job and job.is_active)})
        context: dict[str, Any] = {"job": job, "has_query": has_query, "days_max": backtests.DAYS}
        if job is not None and job.result:
            context |= _counted(job) | {"is_old": job.counted_for != row.parameters}
        return self._page(request, row, "feeds/backtest.html", f"Posts per day of {row.rkey}", "backtest", **context)


def unsaved_name(row: FeedDefinition | None) -> str:
    """What a feed that may not be saved yet is called."""
    return "New feed" if row is None else row.rkey


def _judged(text: str) -> dict[str, Any]:
    """The answer of the query's check."""
    if not text.strip():
        return {"problem": "", "at": 0, "read_as": "", "note": ""}
    judged = {"problem": "", "at": 0, "read_as": "", "note": ""}
    try:
        check_query(text)
        node = parse(text)
        judged["read_as"] = write(node)
        where = conditions.where(resolve(node), now=now_us())
    except BadQuery as error:
        return {**judged, "problem": sentence(error), "at": error.at, "read_as": ""}
    except ClickHouseError:
        return {**judged, "note": "Words and accounts cannot be looked up now."}
    return judged if where.searched_since is None else {**judged, "note": UNINDEXED}


def _why(row: FeedDefinition, asked: str) -> dict[str, Any]:
    """What the page tells about a post. Raises InvalidSyntax if the text is not the address of a post, AtsiteError."""
    key = PostKey.of(post_address.read(asked))
    feed, _ = feed_of(row)
    if not isinstance(feed, MadeOfAQuery):
        raise AtsiteError("this feed is not made of a query")
    findings = feed.explain(key, now_us())
    names = preview_queries.authors([key.did])
    return {
        "post": key,
        "findings": findings,
        "is_in": bool(findings) and all(finding.holds for finding in findings if finding.depth == 0),
        "known": preview_queries.post_texts([key]).get(key),
        "author": names.get(key.did, Name(key.did)),
    }


def _counted(job: Backtest) -> dict[str, Any]:
    days = backtests.days_of(job.result)
    covered = [day for day in days if day.indexed]
    chart = charts.bars("Posts per day", [(f"{day.day:%-d %b}", day.posts) for day in days])
    return {
        "chart": chart,
        "days": [(day.day, f"{day.posts:,}", f"{day.indexed:,}") for day in days],
        "covered_from": covered[0].day if covered else None,
        "is_partly_covered": bool(covered) and covered[0] is not days[0],
    }


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
