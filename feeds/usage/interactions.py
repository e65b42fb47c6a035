"""Interactions reported by readers' apps (lexicon app.bsky.feed.sendInteractions): parsed, limited, made into rows.

Events are an open set, so an unknown event is stored as sent. A row identifies its sender only by a pseudonym.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from atsite.core.atproto.aturi import is_account_uri
from atsite.core.clickhouse import door
from atsite.core.config import config
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
#: Events of the lexicon, by which interactions are counted; others count as "other".
KNOWN: Final = {
    f"app.bsky.feed.defs#{name}": name
    for name in (
        "requestLess", "requestMore", "clickthroughItem", "clickthroughAuthor", "clickthroughReposter",
        "clickthroughEmbed", "interactionSeen", "interactionLike", "interactionRepost", "interactionReply",
        "interactionQuote", "interactionShare",
    )
}  # fmt: skip
#: Approximate memory of a row besides its texts.
ROW_BYTES: Final = 500


class _Reported(msgspec.Struct, rename="camel"):
    item: str | None = None
    event: str | None = None
    feed_context: str | None = None
    req_id: str | None = None


class Call(msgspec.Struct):
    """The body of a call; unknown fields are ignored."""

    interactions: list[_Reported]
    #: At-uri of the feed, if the app sends it.
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
    #: The reader's pseudonym (feeds.usage.counting), in hexadecimal.
    sender: str

    @property
    def bytes(self) -> int:
        """Approximate memory of the row."""
        return ROW_BYTES + len(self.item) + len(self.event) + len(self.feed_context) + len(self.req_id)


def read(body: bytes) -> Call:
    """Parse a call. Raises XrpcError InvalidRequest, with the first error, if it is malformed."""
    try:
        call = msgspec.json.decode(body, type=Call)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # msgspec names the place and the types, never a value.
        raise XrpcError("InvalidRequest", f"the body is not valid input of {SEND}: {error}") from error
    if len(call.interactions) > INTERACTIONS_MAX:
        raise XrpcError("InvalidRequest", f"interactions: at most {INTERACTIONS_MAX} in one call")
    for index, reported in enumerate(call.interactions):
        if problem := _problem(reported):
            raise XrpcError("InvalidRequest", f"interactions[{index}].{problem}")
    return call


def rows(call: Call, *, feed: str, sender: str, now: datetime) -> list[Interaction]:
    """The rows of a call received at `now`. `feed`: the rkey, or "". `sender`: the reader's pseudonym."""
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
    """Write rows; writing the same rows again changes nothing. Raises ClickHouseError."""
    columns = door.columns_of(Interaction, interactions)
    return door.insert("feed_interactions", columns, name="feeds.store_interactions")


def _problem(reported: _Reported) -> str:
    """What is wrong with it; "" if it is valid."""
    if reported.item is not None and not is_account_uri(reported.item, loopback=config.allow_loopback):
        return "item: expected an at-uri of an account that can exist"
    for name, text, longest in (
        ("event", reported.event, EVENT_MAX),
        ("feedContext", reported.feed_context, CONTEXT_MAX),
        ("reqId", reported.req_id, REQUEST_ID_MAX),
    ):
        if text is not None and len(text.encode()) > longest:
            return f"{name}: longer than {longest} bytes"
    return ""
