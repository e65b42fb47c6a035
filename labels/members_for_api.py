"""The members of a label, for the HTTP APIs of labels and of feeds with a label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core import cursor_format
from atsite.core.atproto.syntax import Did, Handle, is_did, parse_account_did
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.config import config
from atsite.core.copies.redis_cache import from_default
from atsite.core.errors import InvalidSyntax
from atsite.core.identity import LookupFailed, NoSuchIdentity, site_resolver
from atsite.core.outgoing import Client
from atsite.core.web.xrpc import XrpcError
from indexer.index import pasted_identifiers
from indexer.index.handles import names_of
from labels import membership
from labels.change_author import Via
from labels.models import ActorLabel, Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atsite.core.identity import Resolver
    from labels.membership import Change

log = structlog.get_logger(__name__)

CURSOR_KIND: Final = "members"


@dataclass(frozen=True, slots=True)
class Member:
    """`handle`: the newest that the site knows; None if it knows none."""

    did: Did
    handle: str | None


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members, ordered by did; no cursor: this is the last page."""

    members: tuple[Member, ...]
    cursor: str | None


class UnknownLabel(XrpcError):
    """The label does not exist."""

    def __init__(self, label: str) -> None:
        super().__init__("UnknownLabel", f"label: the label {label!r} does not exist; add it in the admin")


def require_label(label: str) -> None:
    """Check that the label exists. Raises UnknownLabel, Undecidable."""
    if "\0" in label:  # PostgreSQL has no text with it, and refuses the query
        raise UnknownLabel(label)
    if not from_default(lambda: Label.objects.filter(name=label).exists()):
        raise UnknownLabel(label)


async def did_of(identifier: str) -> Did:
    """The did of a handle now, verified in both directions; a did is returned unchecked.

    So a deleted account can be removed by its did. Raises XrpcError: InvalidRequest if there is no such account,
    UpstreamFailure if the network does not answer.
    """
    try:
        handle = pasted_identifiers.actor(identifier, otherwise="neither a handle nor a did")
    except pasted_identifiers.NotAnActor as error:
        raise XrpcError("InvalidRequest", f"handle: {error}") from error
    if is_did(handle):
        return handle
    try:
        return (await _resolver().identify(Handle(handle))).did
    except NoSuchIdentity as error:
        raise XrpcError("InvalidRequest", f"handle: {error}") from error
    except LookupFailed as error:
        raise XrpcError(
            "UpstreamFailure", f"handle: {handle} cannot be looked up now; try again, or give the did"
        ) from error


def assign(did: Did, label: str, *, by: str) -> Change:
    """Add the label to `did`, at once. `by`: the id of the key.

    Raises XrpcError InvalidRequest if no account can have that did, UnknownLabel, Undecidable.
    """
    try:
        did = parse_account_did(did, loopback=config.allow_loopback)
    except InvalidSyntax as error:
        raise XrpcError("InvalidRequest", f"handle: {error}") from error
    try:
        return from_default(lambda: membership.assign(label, did, by=by, via=Via.API_KEY))
    except Label.DoesNotExist as error:
        raise UnknownLabel(label) from error


def unassign(did: Did, label: str, *, by: str) -> Change:
    """Remove the label from `did`, at once. Raises Undecidable."""
    return from_default(lambda: membership.remove(label, did, by=by, via=Via.API_KEY))


def page(label: str, *, limit: int, cursor: str | None, only: Did | None = None) -> MemberPage:
    """The members of a label from `cursor` on; with `only`, at most that one. Raises InvalidCursor, Undecidable."""
    rows = ActorLabel.objects.filter(label_id=label)
    if cursor is not None:
        (after,) = cursor_format.decode(CURSOR_KIND, cursor, str)
        if not is_did(after):
            raise cursor_format.InvalidCursor("the cursor is not one that was given out")
        rows = rows.filter(did__gt=after)
    if only is not None:
        rows = rows.filter(did=only)
    found = rows.order_by("did").values_list("did", flat=True)[: limit + 1]
    dids = [Did(did) for did in from_default(lambda: list(found))]
    shown = dids[:limit]
    handles = _known_handles(shown)
    return MemberPage(
        tuple(Member(did, handles.get(did)) for did in shown),
        cursor_format.encode(CURSOR_KIND, shown[-1]) if len(dids) > limit else None,
    )


def _known_handles(dids: Sequence[Did]) -> dict[str, str]:
    """Handles, as far as they are known; empty if ClickHouse is down, as the members are known without it."""
    try:
        return {did: name.handle for did, name in names_of(dids).items() if name.handle}
    except ClickHouseError as error:
        log.warning("carriers.without_handles", error=type(error).__name__)
        return {}


@lru_cache(maxsize=1)
def _resolver() -> Resolver:
    """The resolver of this process, for its one event loop."""
    return site_resolver(Client(loopback=config.allow_loopback))
