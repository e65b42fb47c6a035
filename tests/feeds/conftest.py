"""Feeds over the session's real stores, with a clock that a test may move."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.clock import now_us
from atsite.core.web.store_timeouts import StoreGuard
from feeds.kinds import make_feed, search_feed, search_newest, static
from feeds.ranking import computed, queries, refresh
from feeds.ranking.computed import waiting
from feeds.ranking.cursor import decode, encode
from feeds.ranking.feed import Definition, FeedPage, FeedRequest
from feeds.ranking.liveness import Liveness
from feeds.ranking.page_data import FeedData
from feeds.ranking.ranking import RankedFeed
from feeds.serving import private_gate
from labels.blocks import Blocks
from tests.feeds import worlds
from tests.feeds.kind_cases import CASES, LABEL, RANKED, Case
from tests.rows import store
from tests.steps import steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis

    from feeds.ranking.feed import Feed
    from tests.rows import Row

DEFINITIONS = "feeds_feeddefinition"


#: The time that a page may take is short, as its reader is gone soon; a machine with other work takes longer.
UNHURRIED_SECONDS = 60
#: What a running service has.
REAL_BUDGET_SECONDS = computed.BUDGET_SECONDS
REAL_OWN_SECONDS = static.OWN_SECONDS
REAL_INDEX_SECONDS = search_feed.INDEX_SECONDS
REAL_PAGE, REAL_ROUND = replace(search_newest.PAGE), replace(search_newest.ROUND)


@pytest.fixture(scope="session", autouse=True)
def unhurried() -> Iterator[None]:
    """Pages made in this process have time; what happens when there is none is tried where it is short on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(computed, "BUDGET_SECONDS", UNHURRIED_SECONDS)
        patch.setattr(static, "OWN_SECONDS", UNHURRIED_SECONDS)
        patch.setattr(search_feed, "INDEX_SECONDS", UNHURRIED_SECONDS)
        # Many modules have these objects.
        all_limits = (queries.PAGE, search_newest.PAGE, search_newest.ROUND)
        seconds = [limits.max_execution_time for limits in all_limits]
        for limits in all_limits:
            object.__setattr__(limits, "max_execution_time", UNHURRIED_SECONDS)
        yield
        for limits, real in zip(all_limits, seconds, strict=True):
            object.__setattr__(limits, "max_execution_time", real)


@dataclass
class Site:
    """One process's view of one feed. `time` is its clock, in unix microseconds."""

    case: Case
    time: int = field(default_factory=now_us)
    blocks: Blocks = field(default_factory=Blocks)
    definition: Definition = field(init=False)
    data: FeedData = field(init=False)
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.definition = self.case.definition([])
        self.restart()

    def restart(self) -> None:
        """As a new process: nothing remembered."""
        self.data = FeedData(
            clock=self.now,
            lookups=StoreGuard("clickhouse", seconds=UNHURRIED_SECONDS, pause=1),
            blocks=self.blocks_of,
            alive=Liveness(queries.alive, seconds=0),
            alive_or_unknown=Liveness(queries.alive_or_unknown, seconds=0),
        )
        self.feed = make_feed(self.definition, self.data)

    def define(self, **changes: Any) -> None:
        """Change the definition, as an admin does while the process runs."""
        self.definition = replace(self.definition, **changes)
        self.feed = make_feed(self.definition, self.data)

    def now(self) -> int:
        return self.time

    def blocks_of(self, feed: str) -> Blocks:
        assert feed == self.definition.rkey
        return self.blocks

    def publish(self, count: int) -> list[Row]:
        """A network with `count` posts in the feed; its rows."""
        rows = self.case.posts(count, self.time)
        store(*rows)
        if self.case.members:
            worlds.carry(LABEL, *self.case.members)
        self.define(posts=self.case.definition(rows).posts)
        if isinstance(self.feed, RankedFeed):
            assert self.refresh() == "published"
        return rows

    def disturb(self, rows: list[Row], step: int = 0) -> None:
        """New posts and likes, and a refresh where there is one, a minute later."""
        store(*self.case.disturb(rows, step, self.time))
        self.time += worlds.MINUTE
        if isinstance(self.feed, RankedFeed):
            assert self.refresh() == "published"

    def refresh(self, *, later: int = 0) -> refresh.Outcome:
        """Rank the feed again, `later` microseconds from now."""
        self.time += later
        assert isinstance(self.feed, RankedFeed)
        return refresh.refresh(self.feed, self.data.generations, now=self.time).outcome

    def page(self, limit: int, after: FeedPage | None = None) -> FeedPage:
        """A page, whose cursor went through its text."""
        cursor = None if after is None or after.cursor is None else decode(encode(after.cursor))
        return self.read(FeedRequest(limit, cursor))

    def read(self, request: FeedRequest) -> FeedPage:
        """A page, once its ranking was made where that is still to be done."""
        return waiting(lambda: private_gate.page(self.feed, self.data, request), seconds=UNHURRIED_SECONDS)

    def uris(self, page: FeedPage) -> list[str]:
        return [entry.post for entry in page.posts]

    def walk(self, limit: int) -> list[str]:
        """All posts, page by page."""
        page = self.page(limit)
        uris = self.uris(page)
        for _ in steps():
            if page.cursor is None:
                break
            page = self.page(limit, page)
            assert 1 <= len(page.posts) <= limit
            uris += self.uris(page)
        return uris


@pytest.fixture(params=sorted(CASES))
def site(request: pytest.FixtureRequest, clickhouse: None, valkey: redis.Redis) -> Site:
    """A site with one feed of each kind in turn; its stores are empty."""
    return Site(CASES[request.param])


@pytest.fixture(params=RANKED)
def ranked_site(request: pytest.FixtureRequest, clickhouse: None, valkey: redis.Redis) -> Site:
    """The same, ranked feeds only."""
    return Site(CASES[request.param])
