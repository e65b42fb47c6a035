"""The views of the public page."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from atsite.core.clickhouse import door
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.cursor_format import InvalidCursor
from atsite.core.web.store_timeouts import StoreAway
from indexer.index.query import matches
from indexer.index.query.parse import BadQuery
from search.stats import site_stats
from search.web.public import daily, found_people, found_posts
from search.web.public.frame import page, shown
from search.web.public.help_rows import FIRST_TRIES, help_rows
from search.web.public.listed_feeds import public_feeds
from search.web.public.words import pointed

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from indexer.index.stats import Day

#: Days of the charts: at first, and if one asks for more.
DAYS: Final = (30, 90)
#: Feeds on the first page.
FEW_FEEDS: Final = 4
ENDED: Final = "This page of results has ended. Search again to begin at the first one."

# In the order of the key: it stops at the first row.
ANY_POST: Final = "SELECT 1 FROM posts LIMIT 1"


@page
def posts(request: HttpRequest) -> HttpResponse:
    """Posts that match `q`, or without one the way in."""
    q = request.GET.get("q", "").strip()
    if not q:
        return _start(request)
    top, cursor = request.GET.get("sort") == "top", request.GET.get("cursor") or None
    context: dict[str, object] = {"q": q, "is_top": top, "continued": cursor is not None}
    try:
        found = found_posts.find(q, top=top, cursor=cursor)
    except BadQuery as error:
        context["wrong"] = {"problem": _sentence(str(error)), "pointed": pointed(q, error.at), "at": error.at + 1}
        return shown(request, "posts", context, status=400)
    except InvalidCursor:
        return shown(request, "posts", {**context, "ended": ENDED}, status=400)
    sort = {"sort": "top"} if top else {}
    context |= {
        "found": found,
        "empty_index": not found.posts and cursor is None and _index_is_empty(),
        "newest": _address("posts", q=q),
        "top": _address("posts", q=q, sort="top"),
        "first": _address("posts", q=q, **sort),
        "more": found.cursor and _address("posts", q=q, **sort, cursor=found.cursor),
    }
    return shown(request, "posts", context)


def _start(request: HttpRequest) -> HttpResponse:
    """A search box, what one may try, and what else there is. It shows also while the statistics cannot be read."""
    days: list[Day] = []
    with suppress(StoreAway, ClickHouseError):
        days = list(site_stats.daily(DAYS[0], now=timezone.now()))
    feeds = public_feeds()
    context = {
        "tries": [(query, _address("posts", q=query)) for query in FIRST_TRIES],
        "series": daily.series(days, today=timezone.now().date())[:2],
        "feeds": feeds[:FEW_FEEDS],
        "more_feeds": max(len(feeds) - FEW_FEEDS, 0),
    }
    return shown(request, "start", context)


@page
def people(request: HttpRequest) -> HttpResponse:
    """People whose handle or name begins with `q`."""
    q, cursor = request.GET.get("q", "").strip(), request.GET.get("cursor") or None
    context: dict[str, object] = {"q": q, "continued": cursor is not None}
    if not q:
        return shown(request, "people", context)
    try:
        found = found_people.find(q, cursor=cursor)
    except found_people.BadName as error:
        return shown(request, "people", {**context, "wrong": {"problem": _sentence(str(error))}}, status=400)
    except InvalidCursor:
        return shown(request, "people", {**context, "ended": ENDED}, status=400)
    context |= {
        "found": found,
        "first": _address("people", q=q),
        "more": found.cursor and _address("people", q=q, cursor=found.cursor),
    }
    return shown(request, "people", context)


@page
def numbers(request: HttpRequest) -> HttpResponse:
    """Charts of the daily series."""
    days = DAYS[-1] if request.GET.get("days") == str(DAYS[-1]) else DAYS[0]
    now = timezone.now()
    context = {
        "days": days,
        "choices": [(each, _address("numbers", days=str(each))) for each in DAYS],
        "series": daily.series(site_stats.daily(days, now=now), today=now.date()),
    }
    return shown(request, "numbers", context)


@page
def feeds(request: HttpRequest) -> HttpResponse:
    """The feeds that everyone can read."""
    return shown(request, "feeds", {"feeds": public_feeds()})


@page
def query_help(request: HttpRequest) -> HttpResponse:
    """How to write a query."""
    return shown(request, "help", {"rows": help_rows(lambda query: _address("posts", q=query))})


def _address(view: str, **parameters: str) -> str:
    """The address of a page, which can be shared."""
    return f"{reverse(f'public:{view}')}?{urlencode(parameters)}"


def _sentence(text: str) -> str:
    sentence = text[:1].upper() + text[1:]
    return sentence if sentence.endswith(".") else f"{sentence}."


def _index_is_empty() -> bool:
    """Raises ClickHouseError."""
    return not door.column(ANY_POST, name="search.any_post", limits=matches.SEARCH)
