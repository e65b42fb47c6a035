"""Collects events into batches until there are many, or they are large or old. Pure; time is a parameter."""

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
    """The limits at which a batch is full or old."""

    #: ClickHouse later merges every part of an insert with others, which costs as much as the insert: over 4.5 million
    #: events 22.9 us of CPU per event in blocks of 100,000, 18.1 in blocks of 200,000 (measured). Larger blocks need
    #: more memory on both sides and make a replay longer.
    rows: int = 200_000
    #: Bytes of frames. While it waits, an event uses about twice the bytes of its frame.
    bytes: int = 128_000_000
    #: Seconds from a batch's first event until it is sent on a quiet stream.
    age: float = 1.0


@dataclass(slots=True)
class Batch:
    """Rows by table, and the position of the stream once they are durable. Never change it after `Batcher.take`."""

    records: list[RecordEvent] = field(default_factory=list)
    identities: list[IdentityEvent] = field(default_factory=list)
    accounts: list[AccountEvent] = field(default_factory=list)
    floors: list[FloorRow] = field(default_factory=list)
    dead: list[Dead] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    skipped: dict[SkipReason, int] = field(default_factory=dict)
    #: The number of frames, also those without rows, and their bytes.
    events: int = 0
    bytes: int = 0
    #: The position of the stream once the batch is durable (indexer.stream.position), unix microseconds; 0: unknown.
    cursor: int = 0
    #: The same by the local clock, where the two differ, and by how much the events are ahead of that clock.
    plausible_us: int = 0
    skew_us: int = 0
    #: Smallest time_us seen (0: none).
    oldest_us: int = 0

    def __bool__(self) -> bool:
        return bool(self.events or self.gaps)


class Batcher:
    """Collects decoded events; skips unwanted ones and those below their repo's floor."""

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
        #: The position of the stream after all added events.
        self.position = position or Position()
        #: Dids that are not indexed; the code that feeds the batcher keeps it up to date.
        self.excluded: Collection[str] = frozenset()
        self._wanted = frozenset(name for name in wanted if not name.endswith(".*"))
        self._wanted_prefixes = tuple(name[:-1] for name in wanted if name.endswith(".*"))
        self._is_filtered = bool(wanted)
        self._batch = Batch()
        self._since = 0.0

    def add(self, event: Decoded, size: int, now: float) -> None:
        """Add one event with a frame of `size` bytes; `now` is from a monotonic clock."""
        self.extend((event,), size, now)

    def extend(self, events: Sequence[Decoded], size: int, now: float) -> None:
        """Add events, in the order of the stream; their frames had `size` bytes in total."""
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
        # 99 of 100 events are records above any floor: without a filter, these take a shortcut.
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
        """Add a gap of the stream, so that it is stored before the checkpoint moves past it."""
        self._batch.gaps.append(gap)

    @property
    def room(self) -> int:
        """How many events fit until the batch is full; at least 1."""
        return max(self.limits.rows - self._batch.events, 1)

    @property
    def dead(self) -> int:
        """The number of dead letters in the batch so far."""
        return len(self._batch.dead)

    @property
    def is_full(self) -> bool:
        return self._batch.events >= self.limits.rows or self._batch.bytes >= self.limits.bytes

    def is_due(self, now: float) -> bool:
        """Whether to send the batch if the writer is idle: it has an old event, or a gap."""
        batch = self._batch
        return bool(batch.gaps) or (batch.events > 0 and now - self._since >= self.limits.age)

    def take(self) -> Batch:
        """Take the batch and begin a new one. Forgets the floors that the stream has passed."""
        batch, self._batch = self._batch, Batch()
        position = self.position
        if batch.events and position.us:
            batch.cursor, batch.skew_us = position.us, position.skew_us
            batch.plausible_us = max(position.plausible_us, 1) if position.plausible_us < position.us else 0
            # By the local clock: a floor that a host's fast clock has passed may still be needed.
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
