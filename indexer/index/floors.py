"""Floors: everything of a did with a version below its floor is dead (docs/invariants.md, number 3). Pure.

A replay must not bring a deleted account's records back. The indexer holds the floors that its stream can still meet,
drops events below them, and forgets a floor once the stream is past it: then only a backfill, a rebuild or a dead
letter can bring older events, and each of those looks up its floors itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from atsite.core.atproto.tid import CLOCK_BITS, int_of_micros
from atsite.core.clock import MINUTE_US

if TYPE_CHECKING:
    from collections.abc import Iterable

    from indexer.index.events import AccountEvent, IdentityEvent, RecordEvent

#: A PDS with a fast clock writes revs from the future, but at most this far ahead.
CLOCKS_AHEAD_US: Final = 5 * MINUTE_US
#: How far behind the cursor a floor is still held: as far as an event's rev may lag behind its arrival.
HELD_BEHIND_US: Final = 10 * MINUTE_US

ACCOUNT_DELETED: Final = "deleted"
#: An operator decided so (indexer.index.do_not_index).
DO_NOT_INDEX: Final = "do not index"


@dataclass(frozen=True, slots=True)
class FloorRow:
    """A row of repo_floors. `floor` is a version: a TID's integer."""

    did: str
    floor: int
    reason: str


def floor_of_deletion(event: AccountEvent) -> FloorRow:
    """The floor of a deleted account: above everything up to the deletion, with an allowance for fast clocks."""
    return FloorRow(event.did, int_of_micros(event.version + CLOCKS_AHEAD_US), ACCOUNT_DELETED)


def held_from(cursor_us: int) -> int:
    """The smallest floor that a stream at `cursor_us` can still meet."""
    return int_of_micros(max(cursor_us - HELD_BEHIND_US, 0))


class Floors:
    """The floors at or after (cursor - HELD_BEHIND_US), by did; the larger of two floors counts."""

    def __init__(self, rows: Iterable[FloorRow] = ()) -> None:
        self._floors: dict[str, int] = {}
        #: floor_of(did, 0): the floor of a did, 0 for none. The dict's own method, as it is asked for every event.
        self.floor_of = self._floors.get
        # A deletion also ends identity events; a repo that starts over keeps its handle.
        self._ends: dict[str, int] = {}
        self._by_floor: list[tuple[int, str]] = []
        for row in rows:
            self.add(row)

    def __len__(self) -> int:
        return len(self._floors)

    def add(self, row: FloorRow) -> None:
        """Hold the floor, unless a larger one is held."""
        if row.reason == ACCOUNT_DELETED:
            self._ends[row.did] = max(row.floor, self._ends.get(row.did, 0))
        if row.floor > self._floors.get(row.did, 0):
            self._floors[row.did] = row.floor
            heappush(self._by_floor, (row.floor, row.did))

    def is_dead(self, event: RecordEvent) -> bool:
        """Whether the event is older than its repo's floor."""
        floor = self._floors.get(event.repo)
        return floor is not None and event.version < floor

    def is_dead_identity(self, event: IdentityEvent) -> bool:
        """Whether the event is older than the end of its account. Its version is a time, a floor is a TID."""
        floor = self._ends.get(event.did)
        return floor is not None and event.version < floor >> CLOCK_BITS

    def forget_passed(self, cursor_us: int) -> None:
        """Drop the floors that a stream at `cursor_us` can no longer meet."""
        limit = held_from(cursor_us)
        while self._by_floor and self._by_floor[0][0] < limit:
            floor, did = heappop(self._by_floor)
            if self._floors.get(did) == floor:
                del self._floors[did]
                self._ends.pop(did, None)
