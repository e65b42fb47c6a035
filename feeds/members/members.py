"""Who reads a private feed or is shown in a community's: the members of a feed are those who carry its label."""

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
    """The label whose carriers are the members of the feed with that rkey.

    Raises UnknownFeed, XrpcError InvalidRequest where the feed has no members.
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
    """Take `did` out of the members of a feed, at once. Raises as `assign` does."""
    return label_members.unassign(did, label_of(feed), by=by)


def page(feed: str, *, limit: int, cursor: str | None, only: Did | None = None) -> MemberPage:
    """Members from `cursor` on, or whether `only` is one.

    Raises UnknownFeed, InvalidCursor, XrpcError InvalidRequest, Undecidable.
    """
    return label_members.page(label_of(feed), limit=limit, cursor=cursor, only=only)
