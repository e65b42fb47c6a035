"""Answers of /stats/period, and of the part of /stats that is counted once a day, in camelCase."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final, Self

from ninja import Field, Schema

from indexer.index.stats.audience import PERCENTS
from search.stats.lookback import ALLOWED, ERROR, EXACT_MAX
from search.web.camel import Camel

if TYPE_CHECKING:
    from indexer.index.stats.audience import Audience
    from indexer.index.stats.periods import Periods
    from search.stats.cached import Snapshot

COUNTED: Final = "accounts that created such a record in the window, also if they or the record were deleted since"
POPULATION: Final = "accounts with at least one live follow held in this index"
TOO_YOUNG: Final = "not shown before this index covers 30 days: nearly every account would be new to it"
SHOWN: Final = "accounts by the day of their first live post in this index, from {} on"


class PeriodQuery(Schema):
    lookback_window: str = Field("24h", max_length=100, description=ALLOWED)


class Distinct(Camel):
    """How many accounts. `error`: how far the number may be off, as a part of it."""

    count: int
    exact: bool
    error: float

    @classmethod
    def of(cls, count: int) -> Self:
        exact = count <= EXACT_MAX
        return cls(count=count, exact=exact, error=0.0 if exact else ERROR)


class PeriodAnswer(Camel):
    """Distinct accounts of a window of whole hours, the running one included."""

    updated_at: datetime = Field(description="when they were counted")
    hours: int
    since: datetime
    until: datetime = Field(description="the end of the hour that ran when they were counted")
    held_since: datetime | None = Field(
        description="the first hour that this index has: no window has more than since then"
    )
    counted: str
    actors: Distinct
    post_actors: Distinct
    like_actors: Distinct
    repost_actors: Distinct
    follow_actors: Distinct
    block_actors: Distinct

    @classmethod
    def of(cls, snapshot: Snapshot[Periods], hours: int) -> Self:
        periods = snapshot.value
        of_kind = {kind: Distinct.of(actors[hours - 1]) for kind, actors in periods.of_kind.items()}
        return cls(
            updated_at=snapshot.computed_at,
            hours=hours,
            since=periods.until - timedelta(hours=hours),
            until=periods.until,
            held_since=periods.held_since,
            counted=COUNTED,
            actors=Distinct.of(periods.actors[hours - 1]),
            post_actors=of_kind["post"],
            like_actors=of_kind["like"],
            repost_actors=of_kind["repost"],
            follow_actors=of_kind["follow"],
            block_actors=of_kind["block"],
        )


class FollowerCounts(Camel):
    """Exact percentiles of the followers of `accounts` accounts."""

    population: str
    accounts: int
    percentiles: dict[str, int]
    most: int


class FirstTimePosters(Camel):
    day: date
    accounts: int


class AudienceAnswer(Camel):
    """Counted once a day. Follows and posts of deleted accounts count until the nightly purge."""

    updated_at: datetime
    followers: FollowerCounts
    first_time_posters: list[FirstTimePosters] | None = Field(description="oldest first; null below 30 days")
    first_time_posters_note: str

    @classmethod
    def of(cls, snapshot: Snapshot[Audience]) -> Self:
        audience = snapshot.value
        of = audience.followers
        named = {f"p{percent}": value for percent, value in zip(PERCENTS, of.percentiles, strict=True)}
        first = audience.first_posts
        return cls(
            updated_at=snapshot.computed_at,
            followers=FollowerCounts(population=POPULATION, accounts=of.accounts, percentiles=named, most=of.most),
            first_time_posters=None
            if first is None
            else [FirstTimePosters(day=each.day, accounts=each.accounts) for each in first],
            first_time_posters_note=TOO_YOUNG if first is None else SHOWN.format(audience.first_posts_from),
        )
