"""What readers' apps report of posts in a feed (lexicon app.bsky.feed.sendInteractions): read, bounded, made into rows.

Events are an open set, so an unknown one is stored as it came. A row names its sender by a pseudonym alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from atsite.core.atproto.aturi import is_at_uri
from atsite.core.clickhouse import door
from atsite.core.web.xrpc import XrpcError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

SEND: Final = "app.bsky.feed.sendInteractions"
#: A reader scrolls for a while before an app sends 500.
INTERACTIONS_MAX: Final = 500
#: Lengths of the lexicon (app.bsky.feed.defs#interaction), in bytes of UTF-8.
CONTEXT_MAX: Final = 2000
REQUEST_ID_MAX: Final = 100
#: A token is an NSID with a fragment; the longest NSID has 317 characters.
EVENT_MAX: Final = 512
#: Events that the lexicon knows, by which they are counted; others are "other".
KNOWN: Final = {
    f"app.bsky.feed.defs#{name}": name
    for name in (
        "requestLess", "requestMore", "clickthroughItem", "clickthroughAuthor", "clickthroughReposter",
        "clickthroughEmbed", "interactionSeen", "interactionLike", "interactionRepost", "interactionReply",
        "interactionQuote", "interactionShare",
    )
}  # fmt: skip
#: What a row takes in memory beside its texts, about.
ROW_BYTES: Final = 500


class _Reported(msgspec.Struct, rename="camel"):
    item: str | None = None
    event: str | None = None
    feed_context: str | None = None
    req_id: str | None = None


class Call(msgspec.Struct):
    """The body of a call; fields that the lexicon does not know are passed over."""

    interactions: list[_Reported]
    #: At-uri of the feed, where the app says it.
    feed: str | None = None


@dataclass(frozen=True, slots=True)
class Interaction:
    """One row of `feed_interactions`."""

    received_at: datetime
    id: int
    feed: str
    item: str
    event: str
    feed_context: str
    req_id: str
    #: The reader's pseudonym (feeds.usage.counting), in hex.
    sender: str

    @property
    def bytes(self) -> int:
        """Memory that it takes, about."""
        return ROW_BYTES + len(self.item) + len(self.event) + len(self.feed_context) + len(self.req_id)


def read(body: bytes) -> Call:
    """The call in `body`. Raises XrpcError InvalidRequest where it is malformed, naming the first fault."""
    try:
        call = msgspec.json.decode(body, type=Call)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # msgspec names the place and the types, never a value.
        raise XrpcError("InvalidRequest", f"the body is no input of {SEND}: {error}") from error
    if len(call.interactions) > INTERACTIONS_MAX:
        raise XrpcError("InvalidRequest", f"interactions: at most {INTERACTIONS_MAX} in one call")
    for index, reported in enumerate(call.interactions):
        if problem := _problem(reported):
            raise XrpcError("InvalidRequest", f"interactions[{index}].{problem}")
    return call


def rows(call: Call, *, feed: str, sender: str, now: datetime) -> list[Interaction]:
    """The rows of a call that came at `now`; `feed` is the rkey, or nothing, `sender` the reader's pseudonym."""
    return [
        Interaction(
            received_at=now,
            id=secrets.randbits(64),
            feed=feed,
            item=reported.item or "",
            event=reported.event or "",
            feed_context=reported.feed_context or "",
            req_id=reported.req_id or "",
            sender=sender,
        )
        for reported in call.interactions
    ]


def store(interactions: Sequence[Interaction]) -> int:
    """Write rows; the same again changes nothing. Raises ClickHouseError."""
    columns = door.columns_of(Interaction, interactions)
    return door.insert("feed_interactions", columns, name="feeds.store_interactions")


def _problem(reported: _Reported) -> str:
    """What is wrong with it; empty where nothing is."""
    if reported.item is not None and not is_at_uri(reported.item):
        return "item: expected an at-uri"
    for name, text, longest in (
        ("event", reported.event, EVENT_MAX),
        ("feedContext", reported.feed_context, CONTEXT_MAX),
        ("reqId", reported.req_id, REQUEST_ID_MAX),
    ):
        if text is not None and len(text.encode()) > longest:
            return f"{name}: longer than {longest} bytes"
    return ""
