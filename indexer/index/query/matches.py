"""The newest posts that match a query. Position is the key (rkey, did), so posts that arrive move nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits
from indexer.index.page_refill import Candidates
from indexer.index.posts.post_key import PostKey
from indexer.index.query.conditions import ELIGIBLE

if TYPE_CHECKING:
    from indexer.index.query.conditions import Where

#: A reader waits, and one who asks for much waits beside others: the slowest measured search takes 3 s.
SEARCH: Final = Limits(
    max_execution_time=5, max_memory_usage=1_000_000_000, readonly=True, answer_grace=2, logged=False
)
#: The first statement of a search: a store that hangs is noticed by it.
COUNT: Final = Limits(max_execution_time=3, max_memory_usage=500_000_000, readonly=True, answer_grace=1, logged=False)


@dataclass(frozen=True, slots=True)
class Match:
    """A post that matches, and the version of its row."""

    rkey: str
    did: str
    version: int

    @property
    def key(self) -> PostKey:
        return PostKey(self.rkey, self.did)


#: Rows found without FINAL per post wanted: room for old versions and deleted posts among them.
ROWS_PER_POST: Final = 4

#: Below every post: no TID and no did is less.
BOTTOM: Final = PostKey("", "")

# Of `below` and `down_to`, rkeys alone prune the primary key; the pairs decide among equal rkeys.
# With FINAL: an edited post is found by what it says now, and a deleted one is not found.
MATCHES: Final = """
SELECT rkey, did, version
FROM posts FINAL
WHERE rkey <= {below_rkey:String} AND (rkey < {below_rkey:String} OR did < {below_did:String})
  AND rkey >= {down_to_rkey:String} AND (rkey > {down_to_rkey:String} OR did >= {down_to_did:String})
  AND CONDITIONS
ORDER BY rkey DESC, did DESC
LIMIT {size:UInt32}
"""


def matches(
    where: Where,
    *,
    below: PostKey,
    down_to: PostKey,
    size: int,
    limits: Limits = SEARCH,
    name: str = "search.matches",
) -> list[Match]:
    """The newest `size` posts of `where`, newest first, from `down_to` (included) up to `below` (not included)."""
    ends = {
        "below_rkey": below.rkey, "below_did": below.did,
        "down_to_rkey": down_to.rkey, "down_to_did": down_to.did,
    }  # fmt: skip
    return door.query(
        statement(MATCHES, where),
        {**where.parameters, **ends, "size": size},
        into=Match,
        name=name,
        limits=limits,
    )


# Without FINAL, so that it stops as soon as it has found enough rows: old versions and deleted posts are among them, so
# this only says how far down to look. A word of 381,011 posts: 18 ms with this before, 74 ms without.
NTH_ROW: Final = """
SELECT rkey, did
FROM posts
WHERE rkey <= {below_rkey:String} AND (rkey < {below_rkey:String} OR did < {below_did:String})
  AND CONDITIONS
ORDER BY rkey DESC, did DESC
LIMIT 1 OFFSET {skipped:UInt32}
"""


def nth_row(where: Where, *, below: PostKey, nth: int, limits: Limits = SEARCH) -> PostKey | None:
    """The key of the `nth` row of `where` below `below`, newest first; None where there are fewer."""
    parameters = {**where.parameters, "below_rkey": below.rkey, "below_did": below.did, "skipped": nth - 1}
    rows = door.query(statement(NTH_ROW, where), parameters, into=PostKey, name="search.nth_row", limits=limits)
    return rows[0] if rows else None


def statement(template: str, where: Where) -> str:
    """The template with the conditions, which are constants of indexer.index.query.conditions, in their place."""
    return template.replace("CONDITIONS", where.sql)


# Without columns of the posts, as far as the indexes decide: 20 ms of processor time whatever the words are. Old
# versions and deleted posts are counted as well, so there are at most so many matches.
ROWS: Final = """
SELECT count()
FROM (SELECT 1 FROM posts WHERE CONDITIONS LIMIT {at_most:UInt32})
"""


def rows(where: Where, *, at_most: int) -> int:
    """How many rows of posts are as `where` asks, old versions and deleted posts among them; no more are counted."""
    parameters = {**where.parameters, "at_most": at_most}
    sql = ROWS.replace("CONDITIONS", where.sql.removeprefix(f"{ELIGIBLE} AND "))
    return int(door.scalar(sql, parameters, name="search.rows", limits=COUNT))


def candidates(where: Where, below: PostKey, size: int, *, limits: Limits = SEARCH) -> Candidates[Match, PostKey]:
    """At least `size` posts that match, if the store has them: every one from where they end up to `below`."""
    if not where.keys_first:
        posts = matches(where, below=below, down_to=BOTTOM, size=size, limits=limits)
        return Candidates(posts, posts[-1].key if len(posts) == size else None)
    rows = ROWS_PER_POST * size
    end = nth_row(where, below=below, nth=rows, limits=limits)
    posts = matches(where, below=below, down_to=end or BOTTOM, size=rows, limits=limits)
    return Candidates(posts, posts[-1].key if len(posts) == rows else end)
