"""Feeds over the session's real stores, with a clock that a test may move."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from feeds import refresh
from feeds.cursor import decode, encode
from feeds.feed import FeedPage, FeedRequest
from feeds.ranked import RankedData, RankedFeed, unix_micros
from feeds.registry import KINDS
from tests.feeds.kinds import CASES, Case

if TYPE_CHECKING:
    import redis

    from feeds.feed import Feed


@dataclass
class Site:
    """One process's view of one feed. `time` is its clock, in unix microseconds."""

    case: Case
    time: int = field(default_factory=unix_micros)
    data: RankedData = field(init=False)
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """As a new process: nothing remembered."""
        self.data = RankedData(clock=self.now)
        self.feed = KINDS[self.case.kind](self.case.definition, self.data)

    def now(self) -> int:
        return self.time

    def refresh(self, *, later: int = 0) -> refresh.Outcome:
        """Rank the feed anew, `later` microseconds from now."""
        self.time += later
        assert isinstance(self.feed, RankedFeed)
        return refresh.refresh(self.feed, self.data.generations, now=self.time).outcome

    def page(self, limit: int, after: FeedPage | None = None) -> FeedPage:
        """A page, whose cursor went through its text."""
        cursor = None if after is None or after.cursor is None else decode(encode(after.cursor))
        return self.feed.page(FeedRequest(limit, cursor))

    def uris(self, page: FeedPage) -> list[str]:
        return [entry.post for entry in page.posts]

    def walk(self, limit: int) -> list[str]:
        """All posts, page by page."""
        page = self.page(limit)
        uris = self.uris(page)
        while page.cursor is not None:
            page = self.page(limit, page)
            uris += self.uris(page)
        return uris


@pytest.fixture(params=sorted(CASES))
def site(request: pytest.FixtureRequest, clickhouse: None, valkey: redis.Redis) -> Site:
    """A site with one feed of each kind in turn; its stores are empty."""
    return Site(CASES[request.param])
