"""For each kind of feed: a definition of it, and a network in which such a feed has posts. A new kind adds one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atsite.atproto.syntax import Did, Rkey
from feeds.feed import FeedDefinition
from tests import builders as b
from tests.feeds import worlds
from tests.feeds.worlds import MINUTE, actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from feeds.feed import Parameters
    from tests.rows import Row

PUBLISHER = Did("did:plc:" + "p" * 24)


@dataclass(frozen=True)
class Case:
    """How the contract is tried on one kind."""

    kind: str
    parameters: Parameters
    #: (count, now) -> rows that put exactly so many posts into the feed.
    posts: Callable[[int, int], list[Row]]
    #: (rows, step, now) -> rows that change the feed's order.
    disturb: Callable[[list[Row], int, int], list[Row]]

    @property
    def definition(self) -> FeedDefinition:
        return FeedDefinition(PUBLISHER, Rkey(f"a-{self.kind}"), self.kind, "A feed", "Of a test.", self.parameters)


def _liked(count: int, now: int) -> list[Row]:
    return worlds.liked_posts(count, now=now)


def _like_the_last(rows: list[Row], step: int, now: int) -> list[Row]:
    """Many likes for one of the posts at the bottom, and a new post above all."""
    posts = [row for row in rows if isinstance(row, b.Record) and row.collection == b.POST]
    new = b.post(actor(2000 + step), at=now - 6 * MINUTE, text=f"new {step}")
    return [
        new,
        *(b.like(actor(3000 + liker), new, at=now - MINUTE) for liker in range(50)),
        *(b.like(actor(3000 + liker), posts[-1 - step % 20], at=now - MINUTE - step) for liker in range(60)),
    ]


CASES = {
    "hot": Case("hot", {"min_likes": 2}, _liked, _like_the_last),
}
