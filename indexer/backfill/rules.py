"""What a page of listRecords means for what is held already. PURE.

A page lists the live records of a range of keys at some moment after the rev R was asked. For each key of the range:

1. Held with a version of R or above: the stream knows better, nothing is written.
2. Listed, and held with the same content: nothing is written, so that it still counts as what it is, a record that the
   stream brought.
3. Listed otherwise: written under R.
4. Held and alive, but not listed: missing. It gets a tombstone under R, once the listing is known to be complete:
   absence from a page is no proof of deletion while the PDS may still have more to say.

A listing is complete when the PDS gives no cursor, or when it reaches `since`. An empty page with a cursor
proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder, encode

from atsite.core.atproto.tid import tid_to_int
from atsite.core.errors import AtsiteError
from indexer.index.events import RecordEvent
from indexer.stream.decode import decode
from indexer.stream.repair import BeyondRepair, TooDeep, repaired

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from atsite.core.atproto.syntax import Did

#: Above every rkey: the last ASCII character is no part of one.
ABOVE_ALL: Final = "\x7f"
#: Up to so many tombstones of one collection are written without asking the PDS about any of them by name.
UNASKED_MAX: Final = 20
#: So many of the missing are asked for by name where that is not enough.
SAMPLE: Final = 10


class UnreadablePage(AtsiteError):
    """The PDS's answer is no page of records."""


class _Listed(Struct):
    uri: str
    value: Raw
    cid: str = ""


class _Answer(Struct):
    records: list[_Listed]
    cursor: str | None = None


_ANSWER: Final = Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Listed:
    """One record as the PDS lists it; `value` is its JSON."""

    rkey: str
    cid: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Records by descending rkey. `cursor` asks for what follows; "" where the PDS gives none: that is the end."""

    records: tuple[Listed, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Held:
    """The newest that is known of a key. `cid` is "" where the raw event is gone."""

    version: int
    deleted: bool
    cid: str


@dataclass(frozen=True, slots=True)
class Span:
    """The keys from `low` on, below `high`."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class CollectionListing:
    """Whose records of which collection, the rev that was asked before they were listed, and when (unix µs)."""

    did: Did
    collection: str
    rev: str
    time_us: int


@dataclass(slots=True)
class Folded:
    """What a page says: events to write, keys that are held and missing from it, and two counts.

    `alive` counts what is held, alive and older than the rev: what could be missing. `unreadable` counts listed records
    that cannot be indexed.
    """

    events: list[RecordEvent] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    alive: int = 0
    unreadable: int = 0


def parse_page(body: bytes) -> Page:
    """The page in a PDS's answer. Raises UnreadablePage."""
    try:
        answer = _ANSWER.decode(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        try:
            answer = _ANSWER.decode(repaired(body))
        except (DecodeError, BeyondRepair, TooDeep, RecursionError) as error:
            raise UnreadablePage(f"the list of records cannot be read: {error}"[:300]) from error
    records = tuple(Listed(each.uri.rpartition("/")[2], each.cid, bytes(each.value)) for each in answer.records)
    return Page(records, answer.cursor or "")


def span_of(page: Page, *, since: str, high: str) -> Span:
    """The range of keys that the page tells about, below `high`, where the page before it ended.

    The last page, and one that reaches `since`, tells about everything down to `since`; an empty page with a cursor
    tells about nothing. Raises UnreadablePage where the records do not descend: nothing can be concluded from what is
    missing then.
    """
    last = high
    for record in page.records:
        if record.rkey >= last:
            raise UnreadablePage("the PDS does not list records newest first")
        last = record.rkey
    ends = not page.cursor or last <= since
    return Span(since if ends else last, high)


def fold(page: Page, span: Span, held: Mapping[str, Held], listing: CollectionListing) -> Folded:
    """What the page changes about what is held of its span."""
    folded = Folded()
    listed = {record.rkey: record for record in page.records if record.rkey >= span.low}
    for rkey, record in listed.items():
        event = _event(record, listing, held.get(rkey))
        if event is None:
            folded.unreadable += 1
        elif _changes(event, held.get(rkey)):
            folded.events.append(event)
    version = tid_to_int(listing.rev)
    older = [rkey for rkey, known in held.items() if not known.deleted and known.version < version]
    folded.alive = len(older)
    folded.missing = [rkey for rkey in older if rkey not in listed]
    return folded


def tombstones(missing: Iterable[Sequence[str]], listing: CollectionListing) -> list[RecordEvent]:
    """Deletes of keys that a complete listing does not have: (rev asked before their page, rkey) of each."""
    ordered = sorted((rev, rkey) for rev, rkey in missing)
    return [
        _tombstone(rkey, replace(listing, rev=rev))
        for rev, of_rev in groupby(ordered, key=lambda pair: pair[0])
        for _, rkey in of_rev
    ]


def to_ask(missing: Sequence[Sequence[str]], alive: int) -> tuple[str, ...]:
    """The rkeys to ask the PDS for by name before tombstones are written; () where the listing alone is believed.

    A PDS that lists nothing, or half, of what it has would bury an account's records here for good. So where many are
    missing, and more than half of what is held, some of them from the whole range are asked for.
    """
    if len(missing) <= UNASKED_MAX or len(missing) * 2 <= alive:
        return ()
    return tuple(missing[number * (len(missing) - 1) // (SAMPLE - 1)][1] for number in range(SAMPLE))


def _changes(event: RecordEvent, held: Held | None) -> bool:
    if held is None:
        return True
    return held.version < event.version and (held.deleted or held.cid != event.cid)


def _event(record: Listed, listing: CollectionListing, held: Held | None) -> RecordEvent | None:
    """The record through the stream's own decoder; None where it cannot be indexed.

    An update where something else is held and alive: what that said of its subject is taken back with it.
    """
    operation = "create" if held is None or held.deleted else "update"
    event = decode(_frame(listing, record.rkey, operation, {"record": Raw(record.value), "cid": record.cid}))
    return event if isinstance(event, RecordEvent) else None


def _tombstone(rkey: str, listing: CollectionListing) -> RecordEvent:
    event = decode(_frame(listing, rkey, "delete", {}))
    assert isinstance(event, RecordEvent), "a key that is held was decoded before"
    return event


def _frame(listing: CollectionListing, rkey: str, operation: str, content: dict[str, object]) -> bytes:
    commit = {"rev": listing.rev, "operation": operation, "collection": listing.collection, "rkey": rkey, **content}
    return encode({"did": listing.did, "time_us": listing.time_us, "kind": "commit", "commit": commit})
