"""The HTTP endpoints of the search service besides search: health and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

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
from search.stats.lookback import hours_of
from search.web.access import ACCESS_FAILURES, access
from search.web.schemas import Health, StatsAnswer, StatsQuery
from search.web.stats_schemas import AudienceAnswer, PeriodAnswer, PeriodQuery

if TYPE_CHECKING:
    from search.stats.cached import Cached, Snapshot

T = TypeVar("T")
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
    "audience": {
        "updatedAt": "2026-03-01T03:00:00Z",
        "followers": {
            "population": "accounts with at least one live follow held in this index",
            "accounts": 20310,
            "percentiles": {"p10": 1, "p25": 1, "p50": 2, "p75": 5, "p90": 14, "p95": 31, "p99": 188},
            "most": 9120,
        },
        "firstTimePosters": [{"day": "2026-02-28", "accounts": 41}],
        "firstTimePostersNote": "accounts by the day of their first live post in this index, from 2026-02-28 on",
    },
}
#: The example of /docs: a day of a small site.
PERIOD: Final = {
    "updatedAt": "2026-03-01T12:05:00Z",
    "hours": 24,
    "since": "2026-02-28T13:00:00Z",
    "until": "2026-03-01T13:00:00Z",
    "heldSince": "2026-01-04T08:00:00Z",
    "counted": "accounts that created such a record in the window, also if they or the record were deleted since",
    "actors": {"count": 12040, "exact": False, "error": 0.01},
    "postActors": {"count": 3800, "exact": False, "error": 0.01},
    "likeActors": {"count": 9020, "exact": False, "error": 0.01},
    "repostActors": {"count": 1900, "exact": True, "error": 0.0},
    "followActors": {"count": 3010, "exact": False, "error": 0.01},
    "blockActors": {"count": 90, "exact": True, "error": 0.0},
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
    totals = _ready(site_stats.TOTALS)
    return StatsAnswer.of(totals, days, AudienceAnswer.of(_ready(site_stats.AUDIENCE)))


@api_router.get(
    "/stats/period",
    response={200: PeriodAnswer, **ACCESS_FAILURES},
    by_alias=True,
    tags=["statistics"],
    openapi_extra=example(PERIOD, scopes=(Scope.STATS,), anonymous=True, lookback_window="24h"),
)
def period_stats(request: HttpRequest, parameters: Query[PeriodQuery]) -> PeriodAnswer:
    """Distinct accounts of the last hours or days, by kind of record and in all."""
    try:
        hours = hours_of(parameters.lookback_window)
    except ValueError as error:
        raise XrpcError("InvalidRequest", str(error)) from error
    return PeriodAnswer.of(_ready(site_stats.PERIODS), hours)


def _ready(numbers: Cached[T]) -> Snapshot[T]:
    """The newest numbers; 503 if they are being counted."""
    try:
        return numbers.current()
    except NotCounted as error:
        raise XrpcError("NotEnoughResources", str(error)) from error
