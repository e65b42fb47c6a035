"""Rows for tests, in the words of the network: who posted, liked, followed, deleted what, and when.

    hello = post(ALICE, at=ago(hours=3), text="hello", langs=("en",))
    store(hello, like(BOB, hello, at=ago(hours=2)), delete(hello, at=ago(hours=1)))

`at` is a datetime or unix microseconds; it gives the record key, the rev and createdAt alike, unless one of them is
named. `store` inserts through the door into the raw tables, as the indexer does, and the views make the rest. Rows are
values: the same call twice gives the same row, so storing it again is a redelivery.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from zlib import crc32

from atsite.core.atproto.syntax import Did
from atsite.core.atproto.tid import CLOCK_ID_MAX, int_of_micros, tid_of_micros
from atsite.core.atproto.timestamps import datetime_of_micros
from tests.rows import WITNESS_DELAY_US, Account, Floor, Identity, Record, Row, cid_of, store

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ALICE", "BLOCK", "BOB", "CAROL", "DAN", "FOLLOW", "LIKE", "POST", "PROFILE", "REPOST",
    "Account", "Floor", "Identity", "Moment", "Record", "Row", "Subject",
    "account", "ago", "block", "cid_of", "delete", "floor", "follow", "identity", "like", "micros", "post", "profile",
    "record", "recreate", "repost", "store", "update",
]  # fmt: skip

ALICE, BOB, CAROL, DAN = (Did(f"did:plc:{name * 24}"[:32]) for name in ("alice", "bob", "carol", "dan"))

POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
FOLLOW, BLOCK, PROFILE = "app.bsky.graph.follow", "app.bsky.graph.block", "app.bsky.actor.profile"

Moment: TypeAlias = datetime | int
Subject: TypeAlias = Record | str


def micros(at: Moment) -> int:
    """Unix microseconds of `at`."""
    return at if isinstance(at, int) else (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def ago(**duration: float) -> datetime:
    """The moment that long ago: ago(hours=3), ago(minutes=-1)."""
    return datetime.now(UTC) - timedelta(**duration)


def record(
    did: Did,
    collection: str,
    body: dict[str, Any],
    *,
    at: Moment,
    rkey: str | None = None,
    rev_at: Moment | None = None,
    source: str = "jetstream",
) -> Record:
    """The create of any record. The clock id comes from the body: two likes of one moment are two records."""
    clock_id = crc32(repr(body).encode("utf-8", "surrogatepass")) & CLOCK_ID_MAX
    committed = micros(at if rev_at is None else rev_at)
    return Record(
        did=did,
        collection=collection,
        rkey=tid_of_micros(micros(at), clock_id) if rkey is None else rkey,
        version=int_of_micros(committed, clock_id),
        record={"$type": collection, **body},
        time_us=committed + WITNESS_DELAY_US,
        source=source,
    )


def post(
    did: Did,
    *,
    at: Moment,
    text: str = "",
    langs: Sequence[str] = (),
    reply_to: Subject | None = None,
    root: Subject | None = None,
    quote: Subject | None = None,
    images: Sequence[str] = (),
    video: bool = False,
    link: str | None = None,
    tags: Sequence[str] = (),
    mentions: Sequence[str] = (),
    labels: Sequence[str] = (),
    created_at: str | None = None,
    rkey: str | None = None,
    rev_at: Moment | None = None,
    source: str = "jetstream",
) -> Record:
    """A post. `images` are their alt texts, '' for none; `root` is the parent's own root where it is not named."""
    body: dict[str, Any] = {
        "text": text,
        "createdAt": datetime_of_micros(micros(at)) if created_at is None else created_at,
    }
    if langs:
        body["langs"] = list(langs)
    if reply_to is not None:
        body["reply"] = {"parent": _reference(reply_to), "root": _reference(root or _root_of(reply_to))}
    embed = _embed(quote, images, video=video, link=link)
    if embed:
        body["embed"] = embed
    features = [{"$type": "app.bsky.richtext.facet#tag", "tag": tag} for tag in tags]
    features += [{"$type": "app.bsky.richtext.facet#mention", "did": mentioned} for mentioned in mentions]
    if features:
        body["facets"] = [{"index": {"byteStart": 0, "byteEnd": 1}, "features": features}]
    if labels:
        body["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": label} for label in labels]}
    return record(did, POST, body, at=at, rkey=rkey, rev_at=rev_at, source=source)


def like(did: Did, subject: Subject, *, at: Moment, rkey: str | None = None, source: str = "jetstream") -> Record:
    """A like of a post."""
    return _about(did, LIKE, _reference(subject), at, rkey, source)


def repost(did: Did, subject: Subject, *, at: Moment, rkey: str | None = None, source: str = "jetstream") -> Record:
    """A repost of a post."""
    return _about(did, REPOST, _reference(subject), at, rkey, source)


def follow(did: Did, subject: Did, *, at: Moment, rkey: str | None = None, source: str = "jetstream") -> Record:
    """A follow of an actor."""
    return _about(did, FOLLOW, subject, at, rkey, source)


def block(did: Did, subject: Did, *, at: Moment, rkey: str | None = None, source: str = "jetstream") -> Record:
    """A block of an actor."""
    return _about(did, BLOCK, subject, at, rkey, source)


def profile(did: Did, *, at: Moment, name: str = "", description: str = "", avatar: str = "") -> Record:
    """The profile of an actor; `avatar` is the cid of a picture."""
    body: dict[str, Any] = {"displayName": name, "description": description}
    if avatar:
        body["avatar"] = {"$type": "blob", "ref": {"$link": avatar}, "mimeType": "image/jpeg", "size": 1}
    return record(did, PROFILE, body, at=at, rkey="self")


def delete(deleted: Record, *, at: Moment) -> Record:
    """The delete of a record: the same key, a younger rev, no record and so no subject."""
    return replace(_committed(deleted, at), operation="delete", record=None)


def update(changed: Record, *, at: Moment, **fields: Any) -> Record:
    """The update of a record, with `fields` of the record replaced."""
    return replace(_committed(changed, at), operation="update", record={**(changed.record or {}), **fields})


def recreate(deleted: Record, *, at: Moment, **fields: Any) -> Record:
    """A create under a key that was used before."""
    return replace(_committed(deleted, at), operation="create", record={**(deleted.record or {}), **fields})


def identity(did: Did, handle: str, *, at: Moment) -> Identity:
    """An identity event: `did` now has this handle."""
    return Identity(did, handle, micros(at))


def account(did: Did, *, active: bool = True, status: str = "", at: Moment) -> Account:
    """An account event; an inactive one says why: deactivated, suspended, takendown, deleted."""
    return Account(did, active, status, micros(at))


def floor(did: Did, *, at: Moment, reason: str = "deleted") -> Floor:
    """A floor at the moment `at`: commits before it are dead."""
    return Floor(did, int_of_micros(micros(at)), reason)


def _about(
    did: Did, collection: str, subject: str | dict[str, str], at: Moment, rkey: str | None, source: str
) -> Record:
    body = {"subject": subject, "createdAt": datetime_of_micros(micros(at))}
    return record(did, collection, body, at=at, rkey=rkey, source=source)


def _committed(row: Record, at: Moment) -> Record:
    return replace(
        row, version=int_of_micros(micros(at), row.version & CLOCK_ID_MAX), time_us=micros(at) + WITNESS_DELAY_US
    )


def _reference(subject: Subject) -> dict[str, str]:
    if isinstance(subject, Record):
        return {"uri": subject.uri, "cid": subject.cid}
    return {"uri": subject, "cid": cid_of(subject)}


def _root_of(parent: Subject) -> Subject:
    if isinstance(parent, Record) and parent.record is not None and "reply" in parent.record:
        return str(parent.record["reply"]["root"]["uri"])
    return parent


def _embed(quote: Subject | None, images: Sequence[str], *, video: bool, link: str | None) -> dict[str, Any]:
    media: dict[str, Any] = {}
    if images:
        media = {"$type": "app.bsky.embed.images", "images": [{"alt": alt} for alt in images]}
    elif video:
        media = {"$type": "app.bsky.embed.video"}
    elif link is not None:
        media = {"$type": "app.bsky.embed.external", "external": {"uri": link, "title": "", "description": ""}}
    if quote is None:
        return media
    quoted = {"$type": "app.bsky.embed.record", "record": _reference(quote)}
    if not media:
        return quoted
    return {"$type": "app.bsky.embed.recordWithMedia", "record": quoted, "media": media}
