"""Posts of a search with what a list shows of them: text, author, time and counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from indexer.index.handles import UNLOGGED, Name, names_of
from indexer.index.posts.post_counts import PostCounts, counts_of
from indexer.index.posts.post_key import PostKey
from indexer.index.query import matches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class PostText:
    """What a post says."""

    rkey: str
    did: str
    cid: str
    text: str
    langs: list[str]
    created_at: datetime | None

    @property
    def key(self) -> PostKey:
        return PostKey(self.rkey, self.did)


@dataclass(frozen=True, slots=True)
class Row:
    """A post, its author's names and its counts."""

    post: PostText
    author: Name
    counts: PostCounts


# By key, and without the skip index on dids: the key finds the few granules.
TEXTS: Final = """
SELECT rkey, did, cid, text, langs, created_at
FROM posts FINAL
WHERE rkey IN {rkeys:Array(String)} AND did IN {dids:Array(String)} AND deleted = 0
SETTINGS use_skip_indexes = 0
"""


def rows_of(posts: Sequence[PostKey]) -> list[Row]:
    """A row for each of `posts`, in their order; a post that was just deleted is left out. Raises ClickHouseError."""
    if not posts:
        return []
    rkeys, dids = {post.rkey for post in posts}, {post.did for post in posts}
    parameters = {"rkeys": rkeys, "dids": dids}
    found = door.query(TEXTS, parameters, into=PostText, name="search.texts", limits=matches.SEARCH)
    texts = {row.key: row for row in found}
    names = names_of(dids, limits=UNLOGGED)
    counts = counts_of(rkeys, limits=matches.SEARCH)
    return [
        Row(texts[post], names.get(post.did, Name(post.did)), counts.get(post.uri, PostCounts(post.uri)))
        for post in posts
        if post in texts
    ]
