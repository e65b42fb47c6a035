"""Parameters and answers of the endpoints with API keys, in camelCase."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - pydantic reads the annotations
from typing import TYPE_CHECKING, Self

from ninja import Field, Schema
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from atsite.core import page_limits
from atsite.core.atproto.syntax import DID_MAX
from atsite.core.web.query import WholeNumber  # noqa: TC001 - pydantic reads the annotations
from feeds.usage.counting import KEPT_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feeds.ranking.feed import Definition
    from feeds.usage.queries import DailyUsage

#: Maximum length of a record key (https://atproto.com/specs/record-key).
RKEY_MAX = 512


class _Camel(Schema):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class MemberQuery(_Camel):
    feed_name: str = Field(max_length=RKEY_MAX, description="record key of the feed, such as a-mpls")
    handle: str = Field(max_length=DID_MAX, description="handle or did")


class MembersQuery(_Camel):
    feed_name: str = Field(max_length=RKEY_MAX, description="record key of the feed, such as a-mpls")
    handle: str | None = Field(None, max_length=DID_MAX, description="handle or did: answer for this account only")
    limit: WholeNumber = Field(page_limits.MEMBERS_DEFAULT, ge=1, le=page_limits.MEMBERS_MAX)
    cursor: str | None = Field(None, description="the cursor of the previous page")


class ChangeAnswer(_Camel):
    did: str
    feed_name: str
    changed: bool = Field(description="false: there was nothing to change")
    late: list[str] = Field(description="messages about where the change takes effect later; usually empty")


class FeedsQuery(Schema):
    days: WholeNumber = Field(30, ge=1, le=KEPT_DAYS, description="number of days, up to today (UTC)")


class DayOfFeed(_Camel):
    day: date
    requests: int
    distinct_users: int
    interactions: int
    interacting_users: int


class FeedStats(_Camel):
    """One feed and its usage over the period. Users are logged-in viewers; their numbers are estimates (within 1 %)."""

    name: str
    uri: str
    kind: str
    display_name: str
    requests: int = Field(description="pages that were read; polls for new posts are not counted")
    distinct_users: int = Field(description="over the whole period; never fewer than on the busiest day")
    interactions: int
    days: list[DayOfFeed] = Field(description="oldest first; days without requests are left out")

    @classmethod
    def of(cls, definition: Definition, days: Sequence[DailyUsage], readers: int) -> Self:
        return cls(
            name=definition.rkey,
            uri=str(definition.uri),
            kind=definition.kind,
            display_name=definition.display_name,
            requests=sum(day.requests for day in days),
            distinct_users=max([readers, *(day.readers for day in days)]),
            interactions=sum(day.interactions for day in days),
            days=[
                DayOfFeed(
                    day=day.day,
                    requests=day.requests,
                    distinct_users=day.readers,
                    interactions=day.interactions,
                    interacting_users=day.senders,
                )
                for day in days
            ],
        )


class FeedsAnswer(Schema):
    feeds: list[FeedStats]
