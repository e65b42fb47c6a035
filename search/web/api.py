"""The HTTP endpoints of the search service: XRPC methods and plain HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import HttpRequest  # noqa: TC002 - ninja reads the annotations
from django.utils import timezone
from ninja import Query, Router

import atsite
from atsite.core.atproto.syntax import is_did
from atsite.core.clock import now_us
from atsite.core.errors import InvalidSyntax
from atsite.core.web import readiness
from atsite.core.web.documented import example, failures
from atsite.core.web.xrpc import XrpcError
from indexer.index import pasted_identifiers
from indexer.index.handles import did_of_handle
from indexer.index.page_refill import NothingToShow
from labels.blocks import blocked
from search.posts import period, query_language, recently_shown, search
from search.posts.conditions import Filters
from search.stats import site_stats
from search.stats.totals import TotalsNotReady
from search.web.schemas import Health, SearchPostsAnswer, SearchPostsQuery, StatsAnswer, StatsQuery

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

xrpc_router = Router()
api_router = Router()

#: Parameters of the lexicon that are not supported yet. Refused, because an answer without the filter would be wrong.
UNSUPPORTED: Final = ("mentions", "domain", "url", "tag")

#: The example of /docs: one day of a small site.
STATS: Final = {
    "computedAt": "2026-03-01T12:00:00Z",
    "totals": {"posts": 102030, "likes": 220123, "reposts": 30412, "follows": 51877, "blocks": 1204},
    "withoutDay": {"posts": 3, "likes": 0, "reposts": 0},
    "days": [
        {
            "day": "2026-03-01",
            "posts": 1402,
            "postsWithImages": 311,
            "images": 420,
            "imagesWithAlt": 95,
            "likes": 5120,
            "reposts": 640,
            "follows": 710,
            "blocks": 12,
            "postActors": 380,
            "likeActors": 902,
            "repostActors": 210,
            "followActors": 301,
            "blockActors": 9,
            "actors": 1204,
        }
    ],
}
NONE_SHOWN: Final = "none of the newest matches can be shown; try a narrower search"


@xrpc_router.get(
    "/app.bsky.unspecced.searchPostsSkeleton",
    response={200: SearchPostsAnswer, **failures(400, 503, 504)},
    exclude_none=True,
    tags=["search"],
    openapi_extra=example(
        {
            "cursor": "1772366400000000",
            "posts": [{"uri": "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l"}],
        },
        q="music",
        lang="en",
        limit=5,
    ),
)
def search_posts_skeleton(request: HttpRequest, parameters: Query[SearchPostsQuery]) -> SearchPostsAnswer:
    """The newest posts that have all words of `q`.

    Words are whole; case and Unicode form do not matter. Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese are
    found inside longer runs. A query of a single character of those scripts looks through the newest 24 hours only (of
    the period before `until`). An emoji is a word.
    Posts and authors that the site blocks everywhere are left out.
    """
    for name in UNSUPPORTED:
        if name in request.GET:
            raise XrpcError("InvalidRequest", f"{name}: this service cannot filter by it yet")
    if parameters.sort != "latest":
        raise XrpcError("InvalidRequest", "sort: this service supports only `latest`")
    try:
        query = query_language.parse(parameters.q)
    except query_language.BadQuery as error:
        raise XrpcError("BadQueryString", f"q: {error}") from error
    filters = Filters(
        lang=parameters.lang,
        author=None if parameters.author is None else _author(parameters.author),
        since=_micros("since", parameters.since),
        until=_micros("until", parameters.until),
    )
    now = now_us()
    try:
        page = search.page(query, filters, blocked(), limit=parameters.limit, cursor=parameters.cursor, now=now)
    except NothingToShow as error:
        # The same search fails until the index has changed.
        raise XrpcError("NotEnoughResources", NONE_SHOWN, headers={"Retry-After": "60"}) from error
    recently_shown.remember({post.did for post in page.posts})
    return SearchPostsAnswer.of(page)


@xrpc_router.get(
    "/_health",
    response={200: Health, **failures(503, 504)},
    tags=["service"],
    openapi_extra=example({"version": atsite.__version__}),
)
def health(request: HttpRequest) -> Health:
    """Answers if the service works; 503 if ClickHouse does not answer."""
    readiness.require_clickhouse()
    return Health(version=atsite.__version__)


@api_router.get(
    "/stats",
    response={200: StatsAnswer, **failures(400, 503, 504)},
    by_alias=True,
    tags=["statistics"],
    openapi_extra=example(STATS, days=1),
)
def network_stats(request: HttpRequest, parameters: Query[StatsQuery]) -> StatsAnswer:
    """Totals of the records that exist now, and the numbers of each of the last days."""
    # First: while ClickHouse hangs, this says so sooner than a count would.
    days = site_stats.daily(parameters.days, now=timezone.now())
    try:
        snapshot = site_stats.TOTALS.current()
    except TotalsNotReady as error:
        raise XrpcError("NotEnoughResources", str(error)) from error
    return StatsAnswer.of(snapshot, days)


def _author(text: str) -> Did:
    """The did of an actor; a handle is looked up in the index."""
    try:
        named = pasted_identifiers.actor(text, otherwise="neither a did nor a handle")
    except pasted_identifiers.NotAnActor as error:
        raise XrpcError("InvalidRequest", f"author: {error}") from error
    did = named if is_did(named) else did_of_handle(named)
    if did is None:
        raise XrpcError("InvalidRequest", "author: this handle is not known here; give the did")
    return did


def _micros(name: str, text: str | None) -> int | None:
    try:
        return None if text is None else period.micros_of(text)
    except InvalidSyntax as error:
        raise XrpcError("InvalidRequest", f"{name}: neither a datetime nor a day (YYYY-MM-DD)") from error
