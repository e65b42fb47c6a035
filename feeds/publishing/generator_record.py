"""The generator record in the publisher's repo: what makes a feed visible on the network.

Lexicon app.bsky.feed.generator. Publishing again replaces the record and keeps its createdAt, so that a feed does not
look new each time its description changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from feeds.ranking.feed import GENERATOR

if TYPE_CHECKING:
    from datetime import datetime

    from atsite.core.atproto.syntax import Did, Rkey
    from atsite.core.pds import Pds, Session
    from feeds.ranking.feed import FeedDescription

#: Limits of the lexicon, in UTF-8 bytes; a PDS refuses longer values without naming the field.
DISPLAY_NAME_BYTES: Final = 240
DESCRIPTION_BYTES: Final = 3000


def generator_record(
    feed: FeedDescription, *, service_did: str, created_at: datetime, previous: dict[str, Any] | None
) -> dict[str, Any]:
    """The record of `feed`, served by `service_did`. `previous`: the record that it replaces; fields set by other tools
    (an avatar, labels) are kept."""
    kept = {name: value for name, value in (previous or {}).items() if name in ("avatar", "labels", "contentMode")}
    return {
        "$type": GENERATOR,
        "did": service_did,
        "displayName": _cut(feed.display_name, DISPLAY_NAME_BYTES),
        "description": _cut(feed.description, DESCRIPTION_BYTES),
        "acceptsInteractions": True,  # without it apps offer no "show more like this" and report nothing
        "createdAt": (previous or {}).get("createdAt") or created_at.isoformat().replace("+00:00", "Z"),
        **kept,
    }


async def publish(pds: Pds, session: Session, feed: FeedDescription, *, service_did: str, now: datetime) -> str:
    """Write the record of `feed` to the session's repo and return its at-uri. Raises PdsError."""
    rkey = feed.uri.rkey
    previous = await pds.get_record(session.did, GENERATOR, rkey)
    record = generator_record(feed, service_did=service_did, created_at=now, previous=previous)
    return await pds.put_record(session, GENERATOR, rkey, record)


async def unpublish(pds: Pds, session: Session, rkey: Rkey) -> bool:
    """Delete the record; returns whether there was one. Raises PdsError."""
    existed = await pds.get_record(session.did, GENERATOR, rkey) is not None
    await pds.delete_record(session, GENERATOR, rkey)
    return existed


async def published_service(pds: Pds, publisher: Did, rkey: Rkey) -> str | None:
    """The did of the service in the published record; None if there is no record. Raises PdsError."""
    record = await pds.get_record(publisher, GENERATOR, rkey)
    return None if record is None else str(record.get("did", ""))


def _cut(text: str, size: int) -> str:
    """`text` in at most `size` UTF-8 bytes."""
    return text.encode()[:size].decode("utf-8", "ignore")
