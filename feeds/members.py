"""Who reads a private feed or is shown in a community's: the members of a feed are those who carry its label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import structlog

from atsite import paging
from atsite.atproto.syntax import Did, Handle, is_did, is_handle
from atsite.clickhouse import door
from atsite.clickhouse.errors import ClickHouseError
from atsite.config import config
from atsite.http import Client
from atsite.identity import LookupFailed, NoSuchIdentity, site_resolver
from atsite.publish.cache import from_default
from atsite.xrpc import XrpcError
from feeds.registry import feed_named
from labels import access
from labels.authors import Via
from labels.models import ActorLabel, Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atsite.identity import Resolver
    from labels.access import Change

log = structlog.get_logger(__name__)

CURSOR_KIND: Final = "members"


@dataclass(frozen=True, slots=True)
class Member:
    """`handle` is the newest that the stream told of, None where it told of none."""

    did: Did
    handle: str | None


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members by did; no cursor: this is the end."""

    members: tuple[Member, ...]
    cursor: str | None


def label_of(feed: str) -> str:
    """The label whose carriers are the members of the feed with that rkey.

    Raises UnknownFeed, XrpcError InvalidRequest where the feed has no members.
    """
    label = feed_named(feed).definition.label
    if not label:
        raise XrpcError("InvalidRequest", f"feedName: {feed} has no label, so it has no members")
    return label


async def did_of(identifier: str) -> Did:
    """The did that a handle names now, in both directions; a did is taken as it is.

    So a deleted account can be taken out. Raises XrpcError: InvalidRequest where it names nobody, UpstreamFailure where
    the network does not say.
    """
    if is_did(identifier):
        return Did(identifier)
    handle = identifier.removeprefix("@")
    if not is_handle(handle):
        raise XrpcError("InvalidRequest", "handle: neither a handle nor a did")
    try:
        return (await _resolver().identify(Handle(handle))).did
    except NoSuchIdentity as error:
        raise XrpcError("InvalidRequest", f"handle: {error}") from error
    except LookupFailed as error:
        raise XrpcError("UpstreamFailure", f"handle: {handle} cannot be looked up now, or give the did") from error


def assign(did: Did, feed: str, *, by: str) -> Change:
    """Make `did` a member of a feed, at once. Raises UnknownFeed, XrpcError InvalidRequest, Undecidable."""
    label = label_of(feed)
    try:
        return from_default(lambda: access.assign(label, did, by=by, via=Via.API_KEY))
    except Label.DoesNotExist as error:
        message = f"feedName: there is no label {label!r}, which {feed} names; add it in the admin"
        raise XrpcError("InvalidRequest", message) from error


def unassign(did: Did, feed: str, *, by: str) -> Change:
    """Take `did` out of the members of a feed, at once. Raises as `assign` does."""
    label = label_of(feed)
    return from_default(lambda: access.remove(label, did, by=by, via=Via.API_KEY))


def page(feed: str, *, limit: int, cursor: str | None, only: Did | None = None) -> MemberPage:
    """Members from `cursor` on, or whether `only` is one.

    Raises UnknownFeed, InvalidCursor, XrpcError InvalidRequest, Undecidable.
    """
    rows = ActorLabel.objects.filter(label_id=label_of(feed))
    if cursor is not None:
        (after,) = paging.decode(CURSOR_KIND, cursor, str)
        rows = rows.filter(did__gt=after)
    if only is not None:
        rows = rows.filter(did=only)
    found = rows.order_by("did").values_list("did", flat=True)[: limit + 1]
    dids = [Did(did) for did in from_default(lambda: list(found))]
    shown = dids[:limit]
    handles = _known_handles(shown)
    return MemberPage(
        tuple(Member(did, handles.get(did)) for did in shown),
        paging.encode(CURSOR_KIND, shown[-1]) if len(dids) > limit else None,
    )


def _known_handles(dids: Sequence[Did]) -> dict[str, str]:
    """Handles, as far as they are known; none while ClickHouse is away, as the members are known all the same."""
    try:
        return {row.did: row.handle for row in handles_of(dids) if row.handle}
    except ClickHouseError as error:
        log.warning("members.without_handles", error=type(error).__name__)
        return {}


# The filter on did reaches the three tables under the view.
HANDLES = "SELECT did, handle FROM actors WHERE did IN {dids:Array(String)}"


@dataclass(frozen=True, slots=True)
class _Handle:
    did: str
    handle: str


def handles_of(dids: Sequence[Did]) -> list[_Handle]:
    """The newest handle of each of `dids` that the stream told of. Raises ClickHouseError."""
    return door.query(HANDLES, {"dids": list(dids)}, into=_Handle, name="feeds.handles") if dids else []


@lru_cache(maxsize=1)
def _resolver() -> Resolver:
    """The one of this process, for its one event loop."""
    return site_resolver(Client(loopback=config.allow_loopback))
