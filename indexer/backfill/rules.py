"""What a page of listRecords means for what is held already. PURE.

A page lists the live records of a range of keys at some moment after the rev R was asked. For each key of the range:

1. Held with a version of R or above: the stream knows better, nothing is written.
2. Listed, and held with the same content: nothing is written, so that it still counts as what it is, a record that the
   stream brought.
3. Listed otherwise: written under R.
4. Held and alive, but not listed: it was deleted while nobody listened. A tombstone under R.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder, encode

from atsite.core.errors import AtsiteError
from indexer.index.events import RecordEvent
from indexer.stream.decode import decode
from indexer.stream.repair import BeyondRepair, TooDeep, repaired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atsite.core.atproto.syntax import Did

#: Above every rkey: the last ASCII character is no part of one.
ABOVE_ALL: Final = "\x7f"


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
    """Records by descending rkey. `cursor` asks for what follows, "" at the end."""

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
class Source:
    """Whose records of which collection, the rev that was asked before they were listed, and when (unix µs)."""

    did: Did
    collection: str
    rev: str
    time_us: int


@dataclass(slots=True)
class Folded:
    """What is to be written: events of listed records, tombstones; and how many records could not be read."""

    events: list[RecordEvent] = field(default_factory=list)
    tombstones: list[RecordEvent] = field(default_factory=list)
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
    return Page(records, (answer.cursor or "") if records else "")


def span_of(page: Page, *, since: str, high: str) -> Span:
    """The range of keys that the page tells about, below `high`, where the page before it ended.

    The last page, and one that reaches `since`, tells about everything down to `since`. Raises UnreadablePage where the
    records do not descend: nothing can be concluded from what is missing then.
    """
    last = high
    for record in page.records:
        if record.rkey >= last:
            raise UnreadablePage("the PDS lists records in another order than newest first")
        last = record.rkey
    ends = not page.cursor or last <= since
    return Span(since if ends else last, high)


def fold(page: Page, span: Span, held: Mapping[str, Held], source: Source) -> Folded:
    """What the page changes about what is held of its span."""
    folded = Folded()
    listed = {record.rkey: record for record in page.records if record.rkey >= span.low}
    for rkey, record in listed.items():
        event = _event(record, source, held.get(rkey))
        if event is None:
            folded.unreadable += 1
        elif _changes(event, held.get(rkey)):
            folded.events.append(event)
    gone = [_tombstone(rkey, source) for rkey, known in held.items() if rkey not in listed and not known.deleted]
    folded.tombstones = [event for event in gone if held[event.rkey].version < event.version]
    return folded


def _changes(event: RecordEvent, held: Held | None) -> bool:
    if held is None:
        return True
    return held.version < event.version and (held.deleted or held.cid != event.cid)


def _event(record: Listed, source: Source, held: Held | None) -> RecordEvent | None:
    """The record through the stream's own decoder; None where it cannot be indexed.

    An update where something else is held and alive: what that said of its subject is taken back with it.
    """
    operation = "create" if held is None or held.deleted else "update"
    event = decode(_frame(source, record.rkey, operation, {"record": Raw(record.value), "cid": record.cid}))
    return event if isinstance(event, RecordEvent) else None


def _tombstone(rkey: str, source: Source) -> RecordEvent:
    event = decode(_frame(source, rkey, "delete", {}))
    assert isinstance(event, RecordEvent), "a key that is held was decoded before"
    return event


def _frame(source: Source, rkey: str, operation: str, content: dict[str, object]) -> bytes:
    commit = {"rev": source.rev, "operation": operation, "collection": source.collection, "rkey": rkey, **content}
    return encode({"did": source.did, "time_us": source.time_us, "kind": "commit", "commit": commit})
