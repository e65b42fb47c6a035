"""The newest posts that match a query. Position is the key (rkey, did), so posts that arrive move nothing.

A statement finds rows, another says which of them are the newest version of their post and may be shown
(indexer.index.posts.live_posts). Reading with FINAL instead takes two to three times as long for a common word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from atsite.core.clickhouse.limits import Limits
from indexer.index.page_refill import Candidates
from indexer.index.posts import live_posts
from indexer.index.posts.live_posts import PostVersion
from indexer.index.posts.post_key import PostKey

if TYPE_CHECKING:
    from indexer.index.query.conditions import Where

#: A reader waits, and one who asks for much waits beside others: the slowest measured search takes 3 s.
SEARCH: Final = Limits(
    max_execution_time=5, max_memory_usage=1_000_000_000, readonly=True, answer_grace=2, logged=False
)
#: Counting comes on top of what is read anyway.
COUNT: Final = Limits(max_execution_time=3, max_memory_usage=500_000_000, readonly=True, answer_grace=1, logged=False)

#: Below every post: no TID and no did is less.
BOTTOM: Final = PostKey("", "")
#: How many times more rows are read, where all that were read are versions of one post.
MORE_ROWS: Final = 4

# Of `below` and `down_to`, rkeys alone prune the primary key; the pairs decide among equal rkeys.
# Not in order of the version: then it would not stop at the limit (170 ms instead of 22 for a common word).
ROWS: Final = """
SELECT rkey, did, version
FROM posts
WHERE rkey <= {below_rkey:String} AND (rkey < {below_rkey:String} OR did < {below_did:String})
  AND rkey >= {down_to_rkey:String} AND (rkey > {down_to_rkey:String} OR did >= {down_to_did:String})
  AND CONDITIONS
ORDER BY rkey DESC, did DESC
LIMIT {size:UInt32}
"""
# In order, each part is read by itself from its end on: 110 ms for a rare word in 13 parts, instead of 50.
ALL_AT_ONCE: Final = "SETTINGS optimize_read_in_order = 0"


def rows(
    where: Where,
    *,
    below: PostKey,
    size: int,
    down_to: PostKey = BOTTOM,
    few: bool = False,
    limits: Limits = SEARCH,
    name: str = "search.rows",
) -> Candidates[PostVersion, PostKey]:
    """About `size` rows of `where`, the newest first, from `down_to` (included) up to `below` (not included).

    With all matching versions of each post, so that the newest is among them if it matches. `few`: there are few, so
    all are read at once, which is faster than from the newest on. Raises ClickHouseError.
    """
    ends = {
        "below_rkey": below.rkey, "below_did": below.did,
        "down_to_rkey": down_to.rkey, "down_to_did": down_to.did,
    }  # fmt: skip
    while True:
        found = door.query(
            statement(ROWS, where) + (ALL_AT_ONCE if few else ""),
            {**where.parameters, **ends, "size": size},
            into=PostVersion,
            name=name,
            limits=limits,
        )
        if len(found) < size:
            return Candidates(found, None)
        # The limit may have cut between two versions of the last post.
        whole = [row for row in found if row.key != found[-1].key]
        if whole:
            return Candidates(whole, whole[-1].key)
        size *= MORE_ROWS


def candidates(
    where: Where,
    below: PostKey,
    size: int,
    *,
    down_to: PostKey = BOTTOM,
    limits: Limits = SEARCH,
    name: str = "search.rows",
) -> Candidates[PostVersion, PostKey]:
    """The posts that match and may be shown of about `size` rows, newest first. Raises ClickHouseError."""
    found = rows(where, below=below, down_to=down_to, size=size, limits=limits, name=name)
    return Candidates(live_posts.current(found.entries, limits=limits), found.below)


def statement(template: str, where: Where) -> str:
    """The template with the conditions, which are constants of indexer.index.query.conditions, in their place."""
    return template.replace("CONDITIONS", where.sql)


# Without columns of the posts, as far as the indexes decide: 8 ms of processor time whatever the words are. Old
# versions and deleted posts are counted as well, and the few that have the neighbours of a phrase without having it, so
# there are at most so many matches.
ROW_COUNT: Final = """
SELECT count()
FROM (SELECT 1 FROM posts WHERE CONDITIONS LIMIT {at_most:UInt32})
"""


def row_count(where: Where, *, at_most: int) -> int:
    """How many rows the indexes find for `where`, old versions and deleted posts among them; no more are counted."""
    parameters = {**where.parameters, "at_most": at_most}
    sql = ROW_COUNT.replace("CONDITIONS", where.index_sql)
    return int(door.scalar(sql, parameters, name="search.row_count", limits=COUNT))
