"""The HTTP endpoints of post search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import HttpRequest  # noqa: TC002 - ninja reads the annotations
from ninja import Query, Router

from atsite.core.atproto.syntax import Did
from atsite.core.clock import now_us
from atsite.core.web.auth import Scope
from atsite.core.web.documented import example
from atsite.core.web.xrpc import XrpcError
from indexer.index.page_refill import NothingToShow
from indexer.index.query.parse import BadQuery
from indexer.index.query.resolve import UnknownAccount
from labels.blocks import blocked
from search.posts import asked, parameters, recently_shown, rows, search, top_results
from search.posts.hidden import Hidden
from search.posts.parameters import BadParameter
from search.web import examples
from search.web.access import ACCESS_FAILURES, access
from search.web.did_parameter import did_parameter
from search.web.post_schemas import PostsAnswer, SearchPostsAnswer, SearchPostsQuery

if TYPE_CHECKING:
    from search.posts.asked import Asked
    from search.posts.search import Page

xrpc_router = Router(auth=access(Scope.SEARCH))
api_router = Router(auth=access(Scope.SEARCH))

NONE_SHOWN: Final = "none of the newest matches can be shown; try a narrower search"


@xrpc_router.get(
    "/app.bsky.unspecced.searchPostsSkeleton",
    response={200: SearchPostsAnswer, **ACCESS_FAILURES},
    exclude_none=True,
    by_alias=True,
    tags=["search"],
    openapi_extra=example(
        {
            "cursor": "1772366400000000",
            "posts": [{"uri": "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l"}],
        },
        scopes=(Scope.SEARCH,),
        anonymous=True,
        q="music -techno lang:en",
        limit=5,
    ),
)
def search_posts_skeleton(request: HttpRequest, parameters: Query[SearchPostsQuery]) -> SearchPostsAnswer:
    """The posts that match the query `q`: the newest first, or, with `sort=top`, those with the most likes and reposts.

    A query is words, all of which a post must have. `"a phrase"` is words in order, `-word` excludes, `OR` means either
    side, and parentheses group. Filters: `from:`, `to:` (a reply to or a mention of the account) and `mentions:` with a
    handle or did, `lang:en`, `domain:example.com`, `url:`, `#tag`, `since:` and `until:` with a day or datetime,
    `has:media`, `has:images`, `has:video`, `has:alt`, `has:link`, `is:reply`, `is:root` and `is:quote`. Each can be
    excluded with `-`.

    Words are whole; case, accents and Unicode form do not matter. Chinese, Japanese, Korean, Thai, Lao, Khmer and
    Burmese are found inside longer runs. An emoji is a word. A query without a word, tag, link, domain or account looks
    through the newest 24 hours only (of the period before `until`), and `searchedSince` says so.

    With `sort=top` the posts of the last 7 days are ranked, or of the period from `since` to `until`, at most 30 days.
    A repost counts as two likes. The order is kept for ten minutes; then a walk through its pages ends.

    Posts and authors that the site blocks everywhere are left out, and, without `viewer`, accounts that ask not to be
    shown to people who are not signed in. `hitsTotal` is on the first page, if there are at
    most 1,000 posts. 400 `BadQueryString` tells the position.
    """
    what, page = _found(parameters)
    return SearchPostsAnswer.of(page, what.where)


@api_router.get(
    "/search/posts",
    response={200: PostsAnswer, **ACCESS_FAILURES},
    exclude_none=True,
    by_alias=True,
    tags=["search"],
    openapi_extra=example(
        examples.POSTS, scopes=(Scope.SEARCH,), anonymous=True, q='"cold brew" has:images', sort="top", limit=1
    ),
)
def search_posts(request: HttpRequest, parameters: Query[SearchPostsQuery]) -> PostsAnswer:
    """The same as `searchPostsSkeleton`, with the text, author, time and counts of each post.

    `matches` are the parts of the text that have the words of the query, in bytes of UTF-8, as facets count them.
    """
    what, page = _found(parameters)
    return PostsAnswer.of(page, what, rows.rows_of(page.posts))


def _found(given: SearchPostsQuery) -> tuple[Asked, Page]:
    """The page that is asked for. Raises XrpcError, and what the door raises."""
    now = now_us()
    what = _asked(given, now)
    pages = top_results if given.sort == "top" else search
    try:
        hidden = Hidden(blocked(), signed_in=given.viewer is not None)
        page = pages.page(what.where, hidden, limit=given.limit, cursor=given.cursor, now=now)
    except NothingToShow as error:
        # The same search fails until the index has changed.
        raise XrpcError("NotEnoughResources", NONE_SHOWN, headers={"Retry-After": "60"}) from error
    recently_shown.remember({Did(post.did) for post in page.posts})
    return what, page


def _asked(given: SearchPostsQuery, now: int) -> Asked:
    """The condition that the parameters are. Raises XrpcError."""
    viewer = did_parameter("viewer", given.viewer)
    try:
        return asked.asked(asked.tree_of(given.q, given.dict()), viewer=viewer, now=now)
    except BadParameter as error:
        raise XrpcError("InvalidRequest", str(error)) from error
    except UnknownAccount as error:
        if error.at < 0:
            raise XrpcError("InvalidRequest", f"{parameters.PARAMETERS[error.key]}: {error.reason}") from error
        raise _bad_query(error) from error
    except BadQuery as error:
        raise _bad_query(error) from error


def _bad_query(error: BadQuery) -> XrpcError:
    """Positions are told from 1, as people count."""
    return XrpcError("BadQueryString", f"q, at character {error.at + 1}: {error}")
