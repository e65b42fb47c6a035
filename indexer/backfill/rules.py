"""What a page of listRecords means for what is held already. PURE.

A page lists the live records of a range of keys at some moment after the rev R was asked. For each key of the range:

1. Held with a version of R or above: the stream knows better, nothing is written.
2. Listed, and held with the same content: nothing is written, so that it still counts as what it is, a record that the
   stream brought.
3. Listed otherwise: written under R.
4. Held and alive, but not listed: missing. Absence is not proof of deletion: it gets a tombstone under R only when all
   pages were listed, and where much is missing a sample of it was asked for (docs/decisions/0031-backfill.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder, encode

from atsite.core.atproto.tid import tid_to_int
from atsite.core.errors import AtsiteError
from indexer.index.events import RecordEvent
from indexer.stream.decode import decode
from indexer.stream.repair import BeyondRepair, TooDeep, repaired

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from atsite.core.atproto.syntax import Did

#: Above every rkey: the last ASCII character is no part of one.
ABOVE_ALL: Final = "\x7f"
#: Pages of one collection. A PDS lets a repo make some 12,000 records a day: 30 days are below 4,000 pages.
MAX_PAGES: Final = 10_000
#: Pages of one collection that list nothing and say that there is more.
MAX_EMPTY_PAGES: Final = 100
#: Up to so many missing records are taken for deleted without asking for one of them.
UNCONFIRMED: Final = 20
#: So many of the missing records are asked for, one by one.
SAMPLE: Final = 10


class UnreadablePage(AtsiteError):
    """The PDS's answer is no page of records, or its pages are no listing that comes to an end."""


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
    """Records by descending rkey. `cursor` asks for what follows, "" at the end; an empty page may have one, too."""

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
    """What a page says: events to be written, and how many records could not be read.

    `missing`: the rkeys that are held and not listed, of the `held` ones that the page tells about.
    """

    events: list[RecordEvent] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    held: int = 0
    unreadable: int = 0


@dataclass(slots=True)
class Listing:
    """Tells when the pages of one collection go nowhere. `pages` counts those of earlier runs, too."""

    pages: int = 0
    empty: int = 0
    _cursors: set[str] = field(default_factory=set)

    def add(self, page: Page, asked: str) -> None:
        """Take note of `page`, the answer to the cursor `asked`. Raises UnreadablePage where it leads nowhere."""
        self.pages += 1
        self.empty += not page.records
        self._cursors.add(asked)
        if page.cursor in self._cursors and page.cursor:
            raise UnreadablePage("the PDS gives a cursor a second time: its list does not end")
        if page.cursor and (self.pages >= MAX_PAGES or self.empty >= MAX_EMPTY_PAGES):
            raise UnreadablePage(f"the list does not end: {self.pages} pages, {self.empty} of them empty")


def parse_page(body: bytes, source: Source) -> Page:
    """The page in a PDS's answer. Raises UnreadablePage, also where it lists another repo or collection."""
    try:
        answer = _ANSWER.decode(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        try:
            answer = _ANSWER.decode(repaired(body))
        except (DecodeError, BeyondRepair, TooDeep, RecursionError) as error:
            raise UnreadablePage(f"the list of records cannot be read: {error}"[:300]) from error
    prefix = f"at://{source.did}/{source.collection}/"
    if not all(each.uri.startswith(prefix) for each in answer.records):
        raise UnreadablePage("the PDS lists another collection than it was asked for")
    records = tuple(Listed(each.uri.removeprefix(prefix), each.cid, bytes(each.value)) for each in answer.records)
    return Page(records, answer.cursor or "")


def span_of(page: Page, *, since: str, high: str) -> Span:
    """The range of keys that the page tells about, below `high`, where the page before it ended.

    The last page, and one that reaches `since`, tells about everything down to `since`; an empty page with a cursor
    about nothing. Raises UnreadablePage where the records do not descend: nothing can be concluded from what is missing
    then.
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
    # What is held under the rev or above it is the stream's: it may be younger than the list.
    version = tid_to_int(source.rev)
    below = [rkey for rkey, known in held.items() if not known.deleted and known.version < version]
    folded.held = len(below)
    folded.missing = [rkey for rkey in below if rkey not in listed]
    return folded


def is_doubtful(missing: int, held: int) -> bool:
    """Whether so many of the records held are missing that the PDS's list needs a confirmation."""
    return missing > UNCONFIRMED and 2 * missing > held


def sample(keys: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """SAMPLE of the keys (collection, rkey), spread evenly, both ends among them; all of them where they are fewer."""
    if len(keys) <= SAMPLE:
        return list(keys)
    return [keys[number * (len(keys) - 1) // (SAMPLE - 1)] for number in range(SAMPLE)]


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


def tombstone(rkey: str, source: Source) -> RecordEvent:
    """The delete of a record that is held."""
    event = decode(_frame(source, rkey, "delete", {}))
    assert isinstance(event, RecordEvent), "a key that is held was decoded before"
    return event


def _frame(source: Source, rkey: str, operation: str, content: dict[str, object]) -> bytes:
    commit = {"rev": source.rev, "operation": operation, "collection": source.collection, "rkey": rkey, **content}
    return encode({"did": source.did, "time_us": source.time_us, "kind": "commit", "commit": commit})
