"""The members of a feed: the accounts with its label. They can read a private feed, and a label feed shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.atproto.syntax import Rkey
from atsite.core.config import config
from atsite.core.copies.redis_cache import from_default
from atsite.core.web.xrpc import XrpcError
from feeds import definitions
from feeds.ranking.feed import UnknownFeed
from feeds.serving.registry import feed_named
from labels import members_for_api

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from labels.members_for_api import MemberPage
    from labels.membership import Change


def label_of(feed: str) -> str:
    """The label of the members of the feed with this rkey, which may still wait for its first member.

    Raises UnknownFeed, Undecidable, XrpcError InvalidRequest if the feed has no label.
    """
    try:
        label = feed_named(feed).definition.label
    except UnknownFeed:
        waiting = from_default(lambda: {each.rkey: each.label for each in definitions.waiting(config)})
        if feed not in waiting:
            raise
        label = waiting[Rkey(feed)]
    if not label:
        raise XrpcError("InvalidRequest", f"feedName: {feed} has no label, so it has no members")
    return label


def assign(did: Did, feed: str, *, by: str) -> Change:
    """Make `did` a member of a feed, at once. Raises UnknownFeed, XrpcError InvalidRequest, Undecidable."""
    label = label_of(feed)
    try:
        return members_for_api.assign(did, label, by=by)
    except members_for_api.UnknownLabel as error:
        message = f"feedName: {feed} uses the label {label!r}, which does not exist; add it in the admin"
        raise XrpcError("InvalidRequest", message) from error


def unassign(did: Did, feed: str, *, by: str) -> Change:
    """Remove `did` from the members of a feed, at once. Raises as `assign` does."""
    return members_for_api.unassign(did, label_of(feed), by=by)


def page(feed: str, *, limit: int, cursor: str | None, only: Did | None = None) -> MemberPage:
    """The members from `cursor` on; with `only`, at most that one.

    Raises UnknownFeed, InvalidCursor, XrpcError InvalidRequest, Undecidable.
    """
    return members_for_api.page(label_of(feed), limit=limit, cursor=cursor, only=only)
