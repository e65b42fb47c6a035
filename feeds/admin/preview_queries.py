"""ClickHouse queries of the preview: the text of the posts and the names of their authors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from atsite.core.clickhouse import door
from feeds.ranking.feed import PostKey
from feeds.ranking.queries import PAGE
from indexer.index.handles import names_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from indexer.index.handles import Name

#: Maximum characters shown of a post and of a name; the network stores texts of any length.
TEXT_MAX: Final = 3000
NAME_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class PostText:
    """What a preview shows of a post. `langs` and `labels` are its author's own claims."""

    rkey: str
    did: str
    text: str
    langs: list[str]
    labels: list[str]
    embed_kind: str
    images: int
    has_video: int
    is_reply: int
    quotes: int

    @property
    def key(self) -> PostKey:
        return PostKey(self.rkey, self.did)


POST_TEXTS = """
SELECT rkey, did, substringUTF8(text, 1, {text_max:UInt32}), arraySlice(langs, 1, 5), arraySlice(labels, 1, 5),
       embed_kind, images, has_video, parent_uri != '', quote_uri != ''
FROM posts FINAL
WHERE rkey IN {rkeys:Array(String)} AND did IN {dids:Array(String)} AND deleted = 0
"""


def post_texts(posts: Collection[PostKey]) -> dict[PostKey, PostText]:
    """The text and embeds of each of `posts`; those that are not indexed are missing. Raises ClickHouseError."""
    if not posts:
        return {}
    params = {"rkeys": {post.rkey for post in posts}, "dids": {post.did for post in posts}, "text_max": TEXT_MAX}
    found = door.query(POST_TEXTS, params, into=PostText, name="feeds.post_texts", limits=PAGE)
    return {row.key: row for row in found if row.key in set(posts)}


def authors(dids: Collection[str]) -> dict[str, Name]:
    """The names of each of `dids`, as far as they are known. Raises ClickHouseError."""
    return {did: replace(name, display_name=name.display_name[:NAME_MAX]) for did, name in names_of(dids).items()}
