"""Reads the address of a post that a person entered: a bsky.app link or an at-uri, by did or by handle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import is_did
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.errors import InvalidSyntax
from feeds.ranking.feed import POST
from indexer.index import pasted
from indexer.index.handles import did_of_handle

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did

EXAMPLE: Final = "https://bsky.app/profile/HANDLE/post/RKEY"


def read(text: str) -> AtUri:
    """The at-uri of the post in `text`. Raises InvalidSyntax, with a message for the person who entered it."""
    post = pasted.record(text)
    if post is None or post.collection != POST:
        raise InvalidSyntax(f"Enter the address of a post: {EXAMPLE}, or its at-uri.")
    did = post.actor if is_did(post.actor) else _did_of(post.actor)
    return AtUri(did, post.collection, post.rkey)


def _did_of(handle: str) -> Did:
    try:
        did = did_of_handle(handle)
    except ClickHouseError as error:
        raise InvalidSyntax(f"The handle {handle} cannot be looked up now: use the did instead.") from error
    if did is None:
        raise InvalidSyntax(f"The handle {handle} is not known here: use the did instead.")
    return did
