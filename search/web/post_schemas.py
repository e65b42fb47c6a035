"""Parameters and answers of post search, in camelCase."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self

from ninja import Field, Schema

from atsite.core import page_limits
from atsite.core.web.query import WholeNumber  # noqa: TC001 - pydantic reads the annotations
from search.posts.highlight import ranges
from search.web.camel import Camel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.index.query.conditions import Where
    from search.posts.asked import Asked
    from search.posts.rows import Row
    from search.posts.search import Page

#: Maximum length of a did, handle or time.
NAME_MAX = 2_048
TAGS_MAX = 16


class SearchPostsQuery(Schema):
    """Parameters of app.bsky.unspecced.searchPostsSkeleton (its lexicon)."""

    q: str = Field(description="the query: words, and the operators described above")
    sort: Literal["latest", "top"] = Field(
        "latest", description="`latest`: newest first; `top`: most likes and reposts first"
    )
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


class _PageOfPosts(Camel):
    """What every page of search results says; the last one has no `cursor`."""

    cursor: str | None = None
    hits_total: int | None = Field(None, description="how many posts there are, up to 1,000; on the first page only")
    searched_since: datetime | None = Field(
        None, description="older posts were not looked at, as no index helps with this query"
    )


class SearchPostsAnswer(_PageOfPosts):
    """A page of search results; the last one has no `cursor`."""

    posts: list[SkeletonPost]

    @classmethod
    def of(cls, page: Page, where: Where) -> Self:
        return cls(
            cursor=page.cursor,
            hits_total=page.total,
            posts=[SkeletonPost(uri=post.uri) for post in page.posts],
            searched_since=moment_of(where.searched_since),
        )


def moment_of(micros: int | None) -> datetime | None:
    """A moment of unix microseconds, in UTC."""
    return None if micros is None else datetime.fromtimestamp(micros / 1_000_000, UTC)


class Author(Camel):
    """Whose post it is; names that are not known are left out."""

    did: str
    handle: str | None = None
    display_name: str | None = None


class MatchedRange(Camel):
    byte_start: int
    byte_end: int


class FoundPost(Camel):
    """A post that matches."""

    uri: str
    cid: str
    author: Author
    text: str
    langs: list[str]
    created_at: datetime | None = Field(None, description="as its author's app wrote it")
    like_count: int
    repost_count: int
    reply_count: int
    quote_count: int
    matches: list[MatchedRange] = Field(description="parts of the text with the words of the query, in bytes of UTF-8")

    @classmethod
    def of(cls, row: Row, asked: Asked) -> Self:
        return cls(
            uri=row.post.key.uri,
            cid=row.post.cid,
            author=Author(
                did=row.post.did, handle=row.author.handle or None, display_name=row.author.display_name or None
            ),
            text=row.post.text,
            langs=row.post.langs,
            created_at=row.post.created_at,
            like_count=row.counts.likes,
            repost_count=row.counts.reposts,
            reply_count=row.counts.replies,
            quote_count=row.counts.quotes,
            matches=[
                MatchedRange(byte_start=start, byte_end=end)
                for start, end in ranges(row.post.text, asked.words, asked.runs)
            ],
        )


class PostsAnswer(_PageOfPosts):
    """A page of search results; the last one has no `cursor`."""

    posts: list[FoundPost]

    @classmethod
    def of(cls, page: Page, asked: Asked, rows: Sequence[Row]) -> Self:
        return cls(
            cursor=page.cursor,
            hits_total=page.total,
            posts=[FoundPost.of(row, asked) for row in rows],
            searched_since=moment_of(asked.where.searched_since),
        )
