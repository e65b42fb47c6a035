"""Compares a page of listRecords with the index. PURE.

A page lists the live records of a range of keys, at some moment after rev R was read. For each key of the range:

1. Indexed with version R or above: the stream has newer information, so nothing is written.
2. Listed, and indexed with the same content: nothing is written, so that it still counts as a record from the stream.
3. Otherwise listed: written with version R.
4. Indexed and live, but not listed: missing. It gets a tombstone with version R once the listing is complete: absence
   from a page does not prove a deletion while the PDS may list more.

A listing is complete when the PDS returns no cursor, or when it reaches `since`. An empty page with a cursor proves
nothing.
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

#: Above every rkey: rkeys never contain the last ASCII character.
ABOVE_ALL: Final = "\x7f"
#: Up to this many tombstones of one collection are written without checking any with the PDS.
UNASKED_MAX: Final = 20
#: With more, this many of the missing records are checked with the PDS.
SAMPLE: Final = 10


class UnreadablePage(AtsiteError):
    """The PDS's answer is not a page of records."""


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
    """Records by descending rkey. `cursor` is for the next page; "" on the last page."""

    records: tuple[Listed, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Held:
    """The newest known version of a key. `cid` is "" if the raw event was deleted."""

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
    """A collection of a repo, its rev from before the listing, and the time of the listing (unix µs)."""

    did: Did
    collection: str
    rev: str
    time_us: int


@dataclass(slots=True)
class Folded:
    """The result of a page: events to write, indexed keys that it does not list, and two counts.

    `alive` counts indexed, live keys older than the rev, which could be missing. `unreadable` counts listed records
    that cannot be indexed.
    """

    events: list[RecordEvent] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    alive: int = 0
    unreadable: int = 0


def parse_page(body: bytes, did: Did, collection: str) -> Page:
    """The page of a collection in a PDS's answer. Raises UnreadablePage, also if it lists records of another one."""
    try:
        answer = _ANSWER.decode(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        try:
            answer = _ANSWER.decode(repaired(body))
        except (DecodeError, BeyondRepair, TooDeep, RecursionError) as error:
            raise UnreadablePage(f"the list of records cannot be read: {error}"[:300]) from error
    records = tuple(Listed(_rkey(each.uri, did, collection), each.cid, bytes(each.value)) for each in answer.records)
    return Page(records, answer.cursor or "")


def _rkey(uri: str, did: Did, collection: str) -> str:
    """The key in the at-uri of a listed record. Raises UnreadablePage for another repo or collection."""
    repo, _, path = uri.removeprefix("at://").partition("/")
    named, _, rkey = path.partition("/")
    if named != collection or (repo != did and repo.startswith("did:")):
        raise UnreadablePage(f"the PDS lists {uri[:200]!r} among the records of {collection} of {did}")
    return rkey


def span_of(page: Page, *, since: str, high: str) -> Span:
    """The range of keys that the page covers, below `high`, where the page before it ended.

    The last page, and one that reaches `since`, covers everything down to `since`; an empty page with a cursor covers
    nothing. Raises UnreadablePage if the keys do not descend: then missing keys prove nothing.
    """
    last = high
    for record in page.records:
        if record.rkey >= last:
            raise UnreadablePage("the PDS does not list records newest first")
        last = record.rkey
    ends = not page.cursor or last <= since
    return Span(since if ends else last, high)


def fold(page: Page, span: Span, held: Mapping[str, Held], listing: CollectionListing) -> Folded:
    """Compare the page with the indexed keys of its span."""
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
    """The rkeys to check with the PDS before tombstones are written; () if the listing alone is trusted.

    A PDS that lists nothing, or half of its records, would delete an account's records here permanently. So if many are
    missing, and more than half of the indexed ones, some of them from the whole range are checked.
    """
    if len(missing) <= UNASKED_MAX or len(missing) * 2 <= alive:
        return ()
    return tuple(missing[number * (len(missing) - 1) // (SAMPLE - 1)][1] for number in range(SAMPLE))


def _changes(event: RecordEvent, held: Held | None) -> bool:
    if held is None:
        return True
    return held.version < event.version and (held.deleted or held.cid != event.cid)


def _event(record: Listed, listing: CollectionListing, held: Held | None) -> RecordEvent | None:
    """Decode the record with the stream's decoder; None if it cannot be indexed.

    It is an update if another version is indexed and live, so that counts of its old subject are retracted.
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
