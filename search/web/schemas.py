"""Parameters and answers of the search service, in camelCase."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Literal, Self

from ninja import Field, Schema
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from atsite.core import page_limits
from atsite.core.web.query import WholeNumber  # noqa: TC001 - pydantic reads the annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.query.conditions import Where
    from indexer.index.stats import Day
    from search.posts.search import Page
    from search.stats.totals import Snapshot

#: Maximum length of a did, handle or time.
NAME_MAX = 2_048
DAYS_MAX = 366
TAGS_MAX = 16


class SearchPostsQuery(Schema):
    """Parameters of app.bsky.unspecced.searchPostsSkeleton (its lexicon)."""

    q: str = Field(description="the query: words, and the operators described above")
    sort: Literal["latest", "top"] = Field("latest", description="`latest`: newest first")
    since: str | None = Field(None, max_length=NAME_MAX, description="from this datetime or day on")
    until: str | None = Field(None, max_length=NAME_MAX, description="before this datetime or day")
    mentions: str | None = Field(None, max_length=NAME_MAX, description="only posts that mention this did or handle")
    author: str | None = Field(None, max_length=NAME_MAX, description="only posts by this did or handle")
    lang: str | None = Field(
        None,
        max_length=64,
        description="only posts that name this language; `pt` also finds `pt-BR`, and `pt-BR` does not find `pt`",
    )
    domain: str | None = Field(None, max_length=NAME_MAX, description="only posts that link to this domain")
    url: str | None = Field(None, max_length=NAME_MAX, description="only posts that link to this address")
    tag: list[str] = Field([], max_length=TAGS_MAX, description="only posts with all of these tags, without #")
    viewer: str | None = Field(None, max_length=NAME_MAX, description="the did of the reader, who is `me` in the query")
    limit: WholeNumber = Field(
        page_limits.SEARCH_DEFAULT, ge=1, le=page_limits.SEARCH_MAX, description="the most posts of a page"
    )
    cursor: str | None = Field(None, description="the `cursor` of the page before; none: the first page")


class SkeletonPost(Schema):
    uri: str


class _Camel(Schema):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class SearchPostsAnswer(_Camel):
    """A page of search results; the last one has no `cursor`."""

    cursor: str | None = None
    posts: list[SkeletonPost]
    searched_since: datetime | None = Field(
        None, description="older posts were not looked at, as no index helps with this query"
    )

    @classmethod
    def of(cls, page: Page, where: Where) -> Self:
        return cls(
            cursor=page.cursor,
            posts=[SkeletonPost(uri=str(post)) for post in page.posts],
            searched_since=moment_of(where.searched_since),
        )


def moment_of(micros: int | None) -> datetime | None:
    """A moment of unix microseconds, in UTC."""
    return None if micros is None else datetime.fromtimestamp(micros / 1_000_000, UTC)


class Health(Schema):
    version: str


class StatsQuery(Schema):
    days: WholeNumber = Field(30, ge=1, le=DAYS_MAX, description="days of the daily series, up to today (UTC)")


class LiveRecords(_Camel):
    """Records that exist now, by kind."""

    posts: int
    likes: int
    reposts: int
    follows: int
    blocks: int


class UndatedRecords(_Camel):
    """The live records without a plausible time in their record key: they are not part of any day."""

    posts: int
    likes: int
    reposts: int


class StatsDay(_Camel):
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


class StatsAnswer(_Camel):
    """The network as this site knows it."""

    computed_at: datetime = Field(description="when the totals were counted")
    totals: LiveRecords
    without_day: UndatedRecords
    days: list[StatsDay] = Field(description="oldest first; days that are not computed yet are left out")

    @classmethod
    def of(cls, snapshot: Snapshot, days: Sequence[Day]) -> Self:
        totals = snapshot.totals
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
        )
