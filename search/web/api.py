"""The HTTP endpoints of the search service besides search: health and statistics."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest  # noqa: TC002 - ninja reads the annotations
from django.utils import timezone
from ninja import Query, Router

import atsite
from atsite.core.web import readiness
from atsite.core.web.auth import Scope
from atsite.core.web.documented import example, failures
from atsite.core.web.xrpc import XrpcError
from search.stats import site_stats
from search.stats.cached import NotCounted
from search.web.access import ACCESS_FAILURES, access
from search.web.schemas import Health, StatsAnswer, StatsQuery

xrpc_router = Router()
api_router = Router(auth=access(Scope.STATS))

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
    response={200: StatsAnswer, **ACCESS_FAILURES},
    by_alias=True,
    tags=["statistics"],
    openapi_extra=example(STATS, scopes=(Scope.STATS,), anonymous=True, days=1),
)
def network_stats(request: HttpRequest, parameters: Query[StatsQuery]) -> StatsAnswer:
    """Totals of the records that exist now, and the numbers of each of the last days."""
    # First: while ClickHouse hangs, this says so sooner than a count would.
    days = site_stats.daily(parameters.days, now=timezone.now())
    try:
        snapshot = site_stats.TOTALS.current()
    except NotCounted as error:
        raise XrpcError("NotEnoughResources", str(error)) from error
    return StatsAnswer.of(snapshot, days)
