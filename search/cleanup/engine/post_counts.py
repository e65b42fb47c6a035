"""Numbers of likes and replies of posts, from the AppView."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from atsite.core.config import config
from search.cleanup.planning.protections import PostCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: The lexicon's limit of app.bsky.feed.getPosts.
POSTS_PER_CALL: Final = 25


def counts_of(
    uris: Sequence[str], get_json: Callable[[str], Any], report: Callable[[int], None]
) -> dict[str, PostCounts]:
    """The counts of the posts that the AppView knows. Raises what `get_json` and `report` raise.

    A post without both counts is left out, and none is found if the site has no AppView.
    """
    found: dict[str, PostCounts] = {}
    if not config.appview_url:
        return found
    for start in range(0, len(uris), POSTS_PER_CALL):
        asked = uris[start : start + POSTS_PER_CALL]
        query = urlencode([("uris", uri) for uri in asked])
        answer = get_json(f"{config.appview_url}/xrpc/app.bsky.feed.getPosts?{query}")
        posts = answer.get("posts") if isinstance(answer, dict) else None
        for post in posts if isinstance(posts, list) else ():
            if isinstance(post, dict) and post.get("uri") in asked and (counts := _counts(post)) is not None:
                found[post["uri"]] = counts
        report(start + len(asked))
    return found


def _counts(post: dict[str, Any]) -> PostCounts | None:
    likes, replies = post.get("likeCount"), post.get("replyCount")
    return PostCounts(likes, replies) if type(likes) is int and type(replies) is int else None
