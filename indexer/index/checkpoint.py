"""Checkpoints: up to where everything is durable, and where a start resumes. Pure; the stores are in checkpoint_store.

A checkpoint is saved after each acknowledged batch, in Redis (one key) and in ClickHouse (a row). It says that every
event at or before it is stored. A start follows the first rule that applies:

1. `--from CURSOR` or `--from-live`: as the operator says.
2. ClickHouse has no records and no checkpoint: a first start, START_HOURS back. Anything older does not count as a gap.
   (A checkpoint without records is left when a first start was killed before its first records.)
3. One checkpoint in each store: the one with the smaller time_us. One missing or unreadable: the other, with a warning.
4. Neither: an error that names the two options. Never a silent restart from live.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import msgspec

from atsite.core.clock import HOUR_US, MINUTE_US
from atsite.core.errors import AtsiteError
from indexer.index.gaps import Resumed

#: time_us runs back by tens of milliseconds (42 of 152 real events did), and a host may have been slow to see a repo.
OVERLAP_US: Final = MINUTE_US
#: Hosts have different witness times; a cursor of one needs minutes of overlap on another (contracts D4).
OTHER_HOST_US: Final = 5 * MINUTE_US
#: Acknowledged rows are on the disk, and survive a power cut, only after this time.
UNSYNCED_US: Final = MINUTE_US

PROTOCOL: Final = "jetstream-v1"


class CheckpointUnreadable(AtsiteError):
    """Records are stored, but no checkpoint says up to where."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything at or before `cursor` is in ClickHouse. Times and cursors are unix microseconds.

    `cursor` is for the host, `time_us` is the time that it means: in v1 the same number, and less where the
    local clock contradicts it (`position`). `safe_cursor` is the cursor of a minute before, `acked_at` when
    ClickHouse acknowledged.
    """

    host: str
    protocol: str
    cursor: int
    time_us: int
    safe_cursor: int
    acked_at: int

    def encode(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Checkpoint:
        """Raises ValueError where `data` is not a checkpoint."""
        return msgspec.json.decode(data, type=cls)  # msgspec's errors are ValueErrors


@dataclass(frozen=True, slots=True)
class Stored:
    """What one store says: a checkpoint, or why there is none.

    `safe_cursor`: what had been acknowledged UNSYNCED_US before that checkpoint, by earlier runs, too; only ClickHouse
    keeps the checkpoints that tell.
    """

    checkpoint: Checkpoint | None
    problem: str = ""
    safe_cursor: int | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Where the stream begins. `cursor` is None for the live tail.

    `begins_anew`: the start does not come from a stored checkpoint. It must be saved before anything is written, or a
    kill before the first batch would leave records without a checkpoint, or with one ahead of the requested start.
    """

    cursor: int | None
    resumed: Resumed | None
    safe_cursor: int
    warnings: tuple[str, ...] = ()
    begins_anew: bool = False

    @property
    def durable_us(self) -> int:
        """Up to when everything requested is stored, by the local clock; unix microseconds."""
        return self.resumed.durable_us if self.resumed else self.safe_cursor


def start_from(cursor: int) -> Start:
    """Begin where the operator says (indexer.stream.start_options)."""
    return Start(cursor, Resumed(cursor, cursor), cursor, begins_anew=True)


def start_live(now_us: int) -> Start:
    """Begin with what happens now."""
    return Start(None, None, now_us, begins_anew=True)


def first_start(now_us: int, start_hours: int) -> Start:
    """Begin `start_hours` back; 0 means live."""
    if not start_hours:
        return start_live(now_us)
    cursor = max(now_us - start_hours * HOUR_US, 1)
    return Start(cursor, Resumed(cursor, cursor, expects_gap=True), cursor, begins_anew=True)


def resume(redis: Stored, clickhouse: Stored, *, host: str) -> Start:
    """Resume from the stored checkpoints. Raises CheckpointUnreadable when there is none."""
    found = [stored.checkpoint for stored in (redis, clickhouse) if stored.checkpoint is not None]
    if not found:
        raise CheckpointUnreadable(
            f"records are stored, but no checkpoint can be read: Redis {redis.problem}; ClickHouse"
            f" {clickhouse.problem}. Choose where to begin: --from CURSOR (unix microseconds), or --from-live to skip"
            " everything that happened since"
        )
    warnings = tuple(
        f"no checkpoint in {name} ({stored.problem}); going on from the other store's"
        for name, stored in (("Redis", redis), ("ClickHouse", clickhouse))
        if stored.checkpoint is None
    )
    chosen = min(found, key=lambda checkpoint: (checkpoint.time_us, checkpoint.cursor))
    # A run that ends within a minute gets no newer safe cursor of its own, so earlier acknowledgements count.
    safe = chosen.safe_cursor if clickhouse.safe_cursor is None else clickhouse.safe_cursor
    if chosen.host == host and chosen.protocol == PROTOCOL:
        cursor, known_us = min(chosen.cursor - OVERLAP_US, safe), chosen.cursor
    else:
        cursor, known_us = min(chosen.time_us - OVERLAP_US, safe) - OTHER_HOST_US, chosen.time_us
        warnings += (f"the checkpoint is of {chosen.host} ({chosen.protocol}): going back five more minutes",)
    cursor = max(cursor, 1)
    plausible_us = chosen.time_us if chosen.time_us < known_us else 0
    return Start(cursor, Resumed(cursor, known_us, plausible_us=plausible_us), min(safe, cursor), warnings)


class Progress:
    """Makes the checkpoint of each acknowledged batch; remembers what had been acknowledged a minute before."""

    def __init__(self, *, host: str, safe_cursor: int) -> None:
        self._host = host
        self._safe = safe_cursor
        self._acked: deque[tuple[int, int]] = deque()

    def acknowledged(self, cursor: int, *, now_us: int, plausible_us: int = 0) -> Checkpoint:
        """The checkpoint to save now that everything at or before `cursor` is acknowledged.

        `plausible_us`: the time of the cursor, if that differs from the cursor.
        """
        self._acked.append((now_us, cursor))
        while self._acked and self._acked[0][0] <= now_us - UNSYNCED_US:
            self._safe = self._acked.popleft()[1]
        return Checkpoint(
            host=self._host,
            protocol=PROTOCOL,
            cursor=cursor,
            time_us=plausible_us or cursor,
            safe_cursor=min(self._safe, cursor),
            acked_at=now_us,
        )
