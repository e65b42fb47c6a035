"""What goes to ClickHouse together: events collected until they are many, large or old. Pure; time is a parameter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from indexer.index.events import AccountEvent, Dead, IdentityEvent, RecordEvent, SkipReason
from indexer.index.floors import Floors, floor_of_deletion
from indexer.stream.position import Position

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from indexer.index.events import Decoded
    from indexer.index.floors import FloorRow
    from indexer.index.gaps import Gap


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is full or old."""

    #: Every part that an insert leaves is merged with others later, which costs ClickHouse as much as the insert:
    #: over 4.5 million events 22.9 us of CPU an event in blocks of 100,000, 18.1 in blocks of 200,000 (measured). Still
    #: larger ones cost memory on both sides and a longer replay.
    rows: int = 200_000
    #: Bytes of frames. An event takes about twice its frame while it waits.
    bytes: int = 128_000_000
    #: Seconds from a batch's first event until it goes out on a quiet stream.
    age: float = 1.0


@dataclass(slots=True)
class Batch:
    """Rows by table, and how far the stream is once they are durable. Nobody changes it after `Batcher.take`."""

    records: list[RecordEvent] = field(default_factory=list)
    identities: list[IdentityEvent] = field(default_factory=list)
    accounts: list[AccountEvent] = field(default_factory=list)
    floors: list[FloorRow] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    skipped: dict[SkipReason, int] = field(default_factory=dict)
    #: Frames taken in, rows or not, and their bytes.
    events: int = 0
    bytes: int = 0
    #: How far the stream is once the batch is durable (indexer.stream.position), unix microseconds; 0: not known.
    cursor: int = 0
    #: The same by the local clock, where the two differ, and by how much the events are ahead of that clock.
    plausible_us: int = 0
    skew_us: int = 0
    #: Smallest time_us seen (0: none).
    oldest_us: int = 0

    def __bool__(self) -> bool:
        return bool(self.events or self.gaps)


class Batcher:
    """Collects decoded events; leaves out what is unwanted or below its repo's floor."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        floors: Floors | None = None,
        wanted: Collection[str] = (),
        position: Position | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.floors = floors or Floors()
        #: How far the stream is with everything that was taken in.
        self.position = position or Position()
        #: Dids of which nothing is indexed; the code that feeds the batcher keeps it up to date.
        self.excluded: Collection[str] = frozenset()
        self._wanted = frozenset(name for name in wanted if not name.endswith(".*"))
        self._wanted_prefixes = tuple(name[:-1] for name in wanted if name.endswith(".*"))
        self._is_filtered = bool(wanted)
        self._batch = Batch()
        self._since = 0.0

    def add(self, event: Decoded, size: int, now: float) -> None:
        """Take in one event whose frame had `size` bytes; `now` is a monotonic clock's."""
        self.extend((event,), size, now)

    def extend(self, events: Sequence[Decoded], size: int, now: float) -> None:
        """Take in events, in the order of the stream, whose frames had `size` bytes in all."""
        batch = self._batch
        if not batch.events:
            self._since = now
        batch.events += len(events)
        batch.bytes += size
        times = [event.time_us for event in events if event.time_us]
        if times:
            self.position.advance(times, now)
            oldest = min(times)
            batch.oldest_us = min(batch.oldest_us, oldest) if batch.oldest_us else oldest
        # Of a hundred events 99 are records above any floor: where nothing is filtered, these go the short way.
        append, floor_of = batch.records.append, self.floors.floor_of
        filtered = self._is_filtered or bool(self.excluded)
        for event in events:
            if type(event) is RecordEvent and event.version >= floor_of(event.repo, 0) and not filtered:
                append(event)
            else:
                self._add(event)

    def _add(self, event: Decoded) -> None:
        batch = self._batch
        if isinstance(event, RecordEvent):
            if self.floors.is_dead(event):
                self._skip(SkipReason.BELOW_FLOOR)
            elif event.repo in self.excluded:
                self._skip(SkipReason.DO_NOT_INDEX)
            elif not self._is_wanted(event.collection):
                self._skip(SkipReason.UNWANTED_COLLECTION)
            else:
                batch.records.append(event)
        elif isinstance(event, IdentityEvent):
            if self.floors.is_dead_identity(event):
                self._skip(SkipReason.BELOW_FLOOR)
            elif event.did in self.excluded:
                self._skip(SkipReason.DO_NOT_INDEX)
            else:
                batch.identities.append(event)
        elif isinstance(event, AccountEvent):
            self._add_account(event)
        elif isinstance(event, Dead):
            batch.dead.append(event)
        else:
            self._skip(event.reason)

    def add_gap(self, gap: Gap) -> None:
        """Take in a gap of the stream, so that it is stored before the checkpoint moves past it."""
        self._batch.gaps.append(gap)

    @property
    def room(self) -> int:
        """How many events fit until the batch is full by their number; at least 1."""
        return max(self.limits.rows - self._batch.events, 1)

    @property
    def dead(self) -> int:
        """How many events of the batch so far are dead letters."""
        return len(self._batch.dead)

    @property
    def is_full(self) -> bool:
        return self._batch.events >= self.limits.rows or self._batch.bytes >= self.limits.bytes

    def is_due(self, now: float) -> bool:
        """Whether the batch goes out if nothing is being written: it has an old event, or a gap."""
        batch = self._batch
        return bool(batch.gaps) or (batch.events > 0 and now - self._since >= self.limits.age)

    def take(self) -> Batch:
        """The batch so far; a new one begins. Floors that the stream has passed are forgotten."""
        batch, self._batch = self._batch, Batch()
        position = self.position
        if batch.events and position.us:
            batch.cursor, batch.skew_us = position.us, position.skew_us
            batch.plausible_us = max(position.plausible_us, 1) if position.plausible_us < position.us else 0
            # A floor that a host's fast clock has passed may still be needed: by the local clock, then.
            self.floors.forget_passed(batch.plausible_us or batch.cursor)
        return batch

    def _add_account(self, event: AccountEvent) -> None:
        self._batch.accounts.append(event)
        if event.is_deletion:
            row = floor_of_deletion(event)
            self._batch.floors.append(row)
            self.floors.add(row)

    def _is_wanted(self, collection: str) -> bool:
        return not self._is_filtered or collection in self._wanted or collection.startswith(self._wanted_prefixes)

    def _skip(self, reason: SkipReason) -> None:
        self._batch.skipped[reason] = self._batch.skipped.get(reason, 0) + 1
