"""For each kind of feed: definitions of it, and a network in which such a feed has posts. A new kind adds lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Did, Rkey
from feeds.ranking.feed import Definition, PostKey
from tests import builders as b
from tests.feeds import worlds
from tests.feeds.worlds import MINUTE, actor

if TYPE_CHECKING:
    from collections.abc import Callable

    from feeds.ranking.feed import Parameters
    from tests.rows import Row

PUBLISHER = Did("did:plc:" + "p" * 24)
LABEL = "mpls"


@dataclass(frozen=True)
class Case:
    """How the contract is tried on one kind."""

    kind: str
    parameters: Parameters
    #: (count, now) -> rows that put exactly so many posts into the feed.
    posts: Callable[[int, int], list[Row]]
    #: (rows, step, now) -> rows that change the feed's order.
    disturb: Callable[[list[Row], int, int], list[Row]]
    #: Who carries LABEL.
    members: tuple[Did, ...] = ()
    #: Whether the posts are a list in the definition.
    listed: bool = False
    #: Whether what happens on the network changes the first page.
    moves: bool = True

    def definition(self, rows: list[Row]) -> Definition:
        plain = Definition(PUBLISHER, Rkey(f"a-{self.kind}"), self.kind, "A feed", "Of a test.", self.parameters)
        posts = [PostKey(row.rkey, row.did) for row in posts_of(rows)] if self.listed else []
        return replace(plain, posts=tuple(posts))


def posts_of(rows: list[Row]) -> list[b.Record]:
    """The posts among some rows."""
    return [row for row in rows if isinstance(row, b.Record) and row.collection == b.POST]


def _liked(count: int, now: int) -> list[Row]:
    return worlds.liked_posts(count, now=now)


def _by_few(count: int, now: int) -> list[Row]:
    return worlds.liked_posts(count, now=now, authors=50)


def _reposted(count: int, now: int) -> list[Row]:
    """Posts of members and, for each second entry, reposts (of which only the first counts) of strangers' posts."""
    rows: list[Row] = []
    for number, post in enumerate(posts_of(_by_few(count, now))):
        if number % 2:
            rows.append(post)
            continue
        stranger = b.post(actor(700 + number), at=now - 30 * MINUTE - number, text=f"stranger {number}")
        first = b.repost(post.did, stranger, at=now - MINUTE, rkey=post.rkey)
        rows += [stranger, first, b.repost(actor(number % 49), stranger, at=now - MINUTE + number)]
    return rows


def _like_the_last(rows: list[Row], step: int, now: int) -> list[Row]:
    """Many likes for one of the posts at the bottom, and a new post above all."""
    new = b.post(actor(2000 + step), at=now - 6 * MINUTE, text=f"new {step}")
    return [
        new,
        *(b.like(actor(3000 + liker), new, at=now - MINUTE) for liker in range(50)),
        *(b.like(actor(3000 + liker), posts_of(rows)[-1 - step % 20], at=now - MINUTE - step) for liker in range(60)),
    ]


def _post_another(rows: list[Row], step: int, now: int) -> list[Row]:
    """A member posts; and someone else."""
    return [b.post(actor(author), at=now - 1000 + step, text=f"new {step}") for author in (1, 2000)]


FEW = tuple(actor(number) for number in range(50))
MANY = tuple(actor(number) for number in range(150))

CASES = {
    "hot": Case("hot", {"min_likes": 2}, _liked, _like_the_last),
    "label, few": Case("label", {"label": LABEL}, _by_few, _post_another, members=FEW),
    "label, many": Case("label", {"label": LABEL}, _liked, _post_another, members=MANY),
    "label, reposts": Case("label", {"label": LABEL, "reposts": True}, _reposted, _post_another, members=FEW),
    "search": Case("search", {"query": "post OR new"}, _liked, _post_another),
    "search, members": Case(
        "search", {"query": "post OR new", "members_of": LABEL}, _by_few, _post_another, members=FEW
    ),
    "search, hot": Case("search", {"query": "post OR new", "order": "hot"}, _liked, _like_the_last),
    "search, top": Case("search", {"query": "post OR new", "order": "top"}, _liked, _like_the_last),
    "static": Case("static", {}, _liked, _like_the_last, listed=True, moves=False),
    "static, best": Case("static", {"source": "network_best", "min_likes": 2}, _liked, _like_the_last),
    "top": Case("top", {"min_likes": 2}, _liked, _like_the_last),
}
RANKED = ["hot", "search, hot", "search, top", "static, best", "top"]
