"""Who carries a label, told and changed for programs: those that name a label, and those that name a feed with one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core import paging
from atsite.core.atproto.syntax import Did, Handle, is_did, parse_account_did
from atsite.core.clickhouse.errors import ClickHouseError
from atsite.core.config import config
from atsite.core.errors import InvalidSyntax
from atsite.core.identity import LookupFailed, NoSuchIdentity, site_resolver
from atsite.core.outgoing import Client
from atsite.core.published.redis_cache import from_default
from atsite.core.web.xrpc import XrpcError
from indexer.index import pasted
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
class Carrier:
    """`handle` is the newest that the site knows, None where it knows none."""

    did: Did
    handle: str | None


@dataclass(frozen=True, slots=True)
class CarrierPage:
    """Carriers by did; no cursor: this is the end."""

    carriers: tuple[Carrier, ...]
    cursor: str | None


class UnknownLabel(XrpcError):
    """Someone named a label that there is not."""

    def __init__(self, label: str) -> None:
        super().__init__("UnknownLabel", f"label: there is no label {label!r} here; add it in the admin")


def demand_label(label: str) -> None:
    """Return where the site has that label. Raises UnknownLabel, Undecidable."""
    if "\0" in label:  # PostgreSQL has no text with it, and refuses the question
        raise UnknownLabel(label)
    if not from_default(lambda: Label.objects.filter(name=label).exists()):
        raise UnknownLabel(label)


async def did_of(identifier: str) -> Did:
    """The did that a handle names now, in both directions; a did is taken as it is.

    So a deleted account can be taken out. Raises XrpcError: InvalidRequest where it names nobody, UpstreamFailure where
    the network does not say.
    """
    try:
        handle = pasted.actor(identifier, otherwise="neither a handle nor a did")
    except pasted.NotAnActor as error:
        raise XrpcError("InvalidRequest", f"handle: {error}") from error
    if is_did(handle):
        return handle
    try:
        return (await _resolver().identify(Handle(handle))).did
    except NoSuchIdentity as error:
        raise XrpcError("InvalidRequest", f"handle: {error}") from error
    except LookupFailed as error:
        raise XrpcError("UpstreamFailure", f"handle: {handle} cannot be looked up now, or give the did") from error


def assign(did: Did, label: str, *, by: str) -> Change:
    """Give `did` the label, at once. `by`: the id of the key.

    Raises XrpcError InvalidRequest where no account can have that did, UnknownLabel, Undecidable.
    """
    try:
        parse_account_did(did, loopback=config.allow_loopback)
    except InvalidSyntax as error:
        raise XrpcError("InvalidRequest", f"handle: {error}") from error
    try:
        return from_default(lambda: membership.assign(label, did, by=by, via=Via.API_KEY))
    except Label.DoesNotExist as error:
        raise UnknownLabel(label) from error


def unassign(did: Did, label: str, *, by: str) -> Change:
    """Take the label off `did`, at once. Raises Undecidable."""
    return from_default(lambda: membership.remove(label, did, by=by, via=Via.API_KEY))


def page(label: str, *, limit: int, cursor: str | None, only: Did | None = None) -> CarrierPage:
    """Carriers of a label from `cursor` on, or whether `only` is one. Raises InvalidCursor, Undecidable."""
    rows = ActorLabel.objects.filter(label_id=label)
    if cursor is not None:
        (after,) = paging.decode(CURSOR_KIND, cursor, str)
        if not is_did(after):
            raise paging.InvalidCursor("the cursor is not one that was given out")
        rows = rows.filter(did__gt=after)
    if only is not None:
        rows = rows.filter(did=only)
    found = rows.order_by("did").values_list("did", flat=True)[: limit + 1]
    dids = [Did(did) for did in from_default(lambda: list(found))]
    shown = dids[:limit]
    handles = _known_handles(shown)
    return CarrierPage(
        tuple(Carrier(did, handles.get(did)) for did in shown),
        paging.encode(CURSOR_KIND, shown[-1]) if len(dids) > limit else None,
    )


def _known_handles(dids: Sequence[Did]) -> dict[str, str]:
    """Handles, as far as they are known; none while ClickHouse is away, as the carriers are known all the same."""
    try:
        return {did: name.handle for did, name in names_of(dids).items() if name.handle}
    except ClickHouseError as error:
        log.warning("carriers.without_handles", error=type(error).__name__)
        return {}


@lru_cache(maxsize=1)
def _resolver() -> Resolver:
    """The one of this process, for its one event loop."""
    return site_resolver(Client(loopback=config.allow_loopback))
