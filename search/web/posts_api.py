"""The HTTP endpoints of post search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.http import HttpRequest  # noqa: TC002 - ninja reads the annotations
from ninja import Query, Router

from atsite.core.atproto.syntax import is_did, one_spelling
from atsite.core.clock import now_us
from atsite.core.web.documented import example, failures
from atsite.core.web.xrpc import XrpcError
from indexer.index.page_refill import NothingToShow
from indexer.index.query.parse import BadQuery
from indexer.index.query.resolve import UnknownAccount
from labels.blocks import blocked
from search.posts import asked, parameters, recently_shown, search
from search.posts.parameters import BadParameter
from search.web.schemas import SearchPostsAnswer, SearchPostsQuery

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from indexer.index.query.conditions import Where

xrpc_router = Router()

NONE_SHOWN: Final = "none of the newest matches can be shown; try a narrower search"


@xrpc_router.get(
    "/app.bsky.unspecced.searchPostsSkeleton",
    response={200: SearchPostsAnswer, **failures(400, 503, 504)},
    exclude_none=True,
    by_alias=True,
    tags=["search"],
    openapi_extra=example(
        {
            "cursor": "1772366400000000",
            "posts": [{"uri": "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l"}],
        },
        q="music -techno lang:en",
        limit=5,
    ),
)
def search_posts_skeleton(request: HttpRequest, parameters: Query[SearchPostsQuery]) -> SearchPostsAnswer:
    """The posts that match the query `q`, newest first.

    A query is words, all of which a post must have. `"a phrase"` is words in order, `-word` excludes, `OR` means either
    side, and parentheses group. Filters: `from:`, `to:` (a reply to or a mention of the account) and `mentions:` with a
    handle or did, `lang:en`, `domain:example.com`, `url:`, `#tag`, `since:` and `until:` with a day or datetime,
    `has:media`, `has:images`, `has:video`, `has:alt`, `has:link`, `is:reply`, `is:root` and `is:quote`. Each can be
    excluded with `-`.

    Words are whole; case, accents and Unicode form do not matter. Chinese, Japanese, Korean, Thai, Lao, Khmer and
    Burmese are found inside longer runs. An emoji is a word. A query without a word, tag, link, domain or account looks
    through the newest 24 hours only (of the period before `until`), and `searchedSince` says so.

    Posts and authors that the site blocks everywhere are left out. 400 `BadQueryString` tells the position.
    """
    if parameters.sort != "latest":
        raise XrpcError("InvalidRequest", "sort: this service supports only `latest` yet")
    now = now_us()
    where = _where(parameters, now)
    try:
        page = search.page(where, blocked(), limit=parameters.limit, cursor=parameters.cursor, now=now)
    except NothingToShow as error:
        # The same search fails until the index has changed.
        raise XrpcError("NotEnoughResources", NONE_SHOWN, headers={"Retry-After": "60"}) from error
    recently_shown.remember({post.did for post in page.posts})
    return SearchPostsAnswer.of(page, where)


def _where(given: SearchPostsQuery, now: int) -> Where:
    """The condition that the parameters are. Raises XrpcError."""
    viewer = _viewer(given.viewer)
    try:
        return asked.where_of(asked.tree_of(given.q, given.dict()), viewer=viewer, now=now)
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


def _viewer(text: str | None) -> Did | None:
    if text is None:
        return None
    if not is_did(text):
        raise XrpcError("InvalidRequest", "viewer: not a did")
    return one_spelling(text)
