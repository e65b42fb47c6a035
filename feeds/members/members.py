"""The members of a feed: the accounts with its label. They can read a private feed, and a label feed shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atsite.core.web.xrpc import XrpcError
from feeds.serving.registry import feed_named
from labels import label_members

if TYPE_CHECKING:
    from atsite.core.atproto.syntax import Did
    from labels.label_members import MemberPage
    from labels.membership import Change


def label_of(feed: str) -> str:
    """The label of the members of the feed with this rkey.

    Raises UnknownFeed, XrpcError InvalidRequest if the feed has no label.
    """
    label = feed_named(feed).definition.label
    if not label:
        raise XrpcError("InvalidRequest", f"feedName: {feed} has no label, so it has no members")
    return label


def assign(did: Did, feed: str, *, by: str) -> Change:
    """Make `did` a member of a feed, at once. Raises UnknownFeed, XrpcError InvalidRequest, Undecidable."""
    label = label_of(feed)
    try:
        return label_members.assign(did, label, by=by)
    except label_members.UnknownLabel as error:
        message = f"feedName: {feed} uses the label {label!r}, which does not exist; add it in the admin"
        raise XrpcError("InvalidRequest", message) from error


def unassign(did: Did, feed: str, *, by: str) -> Change:
    """Remove `did` from the members of a feed, at once. Raises as `assign` does."""
    return label_members.unassign(did, label_of(feed), by=by)


def page(feed: str, *, limit: int, cursor: str | None, only: Did | None = None) -> MemberPage:
    """The members from `cursor` on; with `only`, at most that one.

    Raises UnknownFeed, InvalidCursor, XrpcError InvalidRequest, Undecidable.
    """
    return label_members.page(label_of(feed), limit=limit, cursor=cursor, only=only)
