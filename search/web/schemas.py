"""Parameters and answers of the search service, in camelCase."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Self

from ninja import Field, Schema

from atsite.core.web.query import WholeNumber  # noqa: TC001 - pydantic reads the annotations
from search.web.camel import Camel
from search.web.stats_schemas import AudienceAnswer  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.stats import Day, Totals
    from search.stats.cached import Snapshot

DAYS_MAX = 366


class Health(Schema):
    version: str


class StatsQuery(Schema):
    days: WholeNumber = Field(30, ge=1, le=DAYS_MAX, description="days of the daily series, up to today (UTC)")


class LiveRecords(Camel):
    """Records that exist now, by kind."""

    posts: int
    likes: int
    reposts: int
    follows: int
    blocks: int


class UndatedRecords(Camel):
    """The live records without a plausible time in their record key: they are not part of any day."""

    posts: int
    likes: int
    reposts: int


class StatsDay(Camel):
    """The numbers of one day (UTC). xActors: distinct actors who created an x; actors: any kind of record."""

    day: date
    posts: int
    posts_with_images: int
    images: int
    images_with_alt: int
    likes: int
    reposts: int
    follows: int
    blocks: int
    post_actors: int
    like_actors: int
    repost_actors: int
    follow_actors: int
    block_actors: int
    actors: int


class StatsAnswer(Camel):
    """The network as this site knows it."""

    computed_at: datetime = Field(description="when the totals were counted")
    totals: LiveRecords
    without_day: UndatedRecords
    days: list[StatsDay] = Field(description="oldest first; days that are not computed yet are left out")
    audience: AudienceAnswer

    @classmethod
    def of(cls, snapshot: Snapshot[Totals], days: Sequence[Day], audience: AudienceAnswer) -> Self:
        totals = snapshot.value
        return cls(
            computed_at=snapshot.computed_at,
            totals=LiveRecords(
                posts=totals.posts,
                likes=totals.likes,
                reposts=totals.reposts,
                follows=totals.follows,
                blocks=totals.blocks,
            ),
            without_day=UndatedRecords(
                posts=totals.posts_without_day, likes=totals.likes_without_day, reposts=totals.reposts_without_day
            ),
            days=[StatsDay(**asdict(day)) for day in days],
            audience=audience,
        )
