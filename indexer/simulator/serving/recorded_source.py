"""A recorded stream as an event source: a .jsonl or .jsonl.zst file, read in blocks.

Lines are sent unchanged, unless `shift_to_now` or `witness_us` changes them. At speed n the recording plays n times as
fast as it was made; at speed `MAX` all of it is in the past, and a client without a cursor gets it from the first line.
After the last line the stream stays open without events.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

import zstandard

from indexer.simulator.errors import SimulatorError
from indexer.simulator.serving.event_source import Batch, time_us_of
from indexer.simulator.serving.time_shift import MICROS, move_witness, shift_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAX: Final = math.inf
# About 500 lines: one write to the socket, a millisecond of work.
_BLOCK: Final = 256 * 1024
_WAIT_MIN: Final = 0.005
_SILENCE_SECONDS: Final = 0.5
# Due lines are counted up to this: the server disconnects a live client that is 10,000 behind.
_DUE_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Extent:
    """The number of events of a recording, and the earliest and latest `time_us`."""

    events: int
    first_us: int
    last_us: int


class RecordedSource:
    """Serves one file. Raises SimulatorError if it cannot be read or has no events."""

    def __init__(self, path: Path, *, speed: float = MAX, shift_to_now: bool = False, witness_us: int = 0) -> None:
        if not path.is_file():
            raise SimulatorError(f"there is no recording at {path}")
        if not speed > 0:
            raise SimulatorError(f"the speed must be above 0, not {speed}")
        self._path = path
        self._speed = speed
        self._shift_to_now = shift_to_now
        self._witness_us = witness_us
        self._extent: Extent | None = None
        self._started = 0
        self.shift_seconds = 0

    def start(self, now: int) -> None:
        """Read the file once if its times are needed: to play it in time, or to end it at `now`."""
        self._started = now
        if self._shift_to_now or self._speed != MAX:
            self._extent = extent_of(self._path)
        if self._shift_to_now and self._extent is not None:
            # The last event is sent when the playback reaches it; earlier ones are in the past.
            playing = (self._extent.last_us - self._extent.first_us) / self._speed
            self.shift_seconds = math.floor((now + playing - self._extent.last_us) / MICROS)

    def stream(self, cursor: int | None, clock: Callable[[], int]) -> Iterator[Batch]:
        """From the cursor, which refers to the times as sent; see the module for more."""
        shift_us = self.shift_seconds * MICROS + self._witness_us
        begin = None if cursor is None else cursor - shift_us
        blocks = self._all(begin) if self._speed == MAX else self._timed(begin, clock)
        for batch in blocks:
            yield Batch([self._moved(line) for line in batch.lines], batch.wait, batch.behind) if shift_us else batch
        while True:
            yield Batch((), _SILENCE_SECONDS)

    def _moved(self, line: bytes) -> bytes:
        if self.shift_seconds:
            line = shift_event(line, self.shift_seconds)
        return move_witness(line, self._witness_us) if self._witness_us else line

    def _all(self, begin: int | None) -> Iterator[Batch]:
        for lines in blocks_of(self._path):
            if begin is None:
                yield Batch(lines)
                continue
            found = next((index for index, line in enumerate(lines) if (time_us_of(line) or 0) >= begin), None)
            if found is None:
                yield Batch(())
            else:
                yield Batch(lines[found:])
                begin = None

    def _timed(self, begin: int | None, clock: Callable[[], int]) -> Iterator[Batch]:
        assert self._extent is not None, "start() comes first"
        first = self._extent.first_us
        replaying = begin is not None and begin <= self._played(clock(), first)
        start = begin if replaying and begin is not None else self._played(clock(), first)
        due: list[bytes] = []
        for line, time in self._from(start):
            played = self._played(clock(), first)
            if time <= played and len(due) < _DUE_MAX:
                due.append(line)
                continue
            yield from self._send(due, live=not replaying)
            due = [line]
            if time > played:
                replaying = False
            while (ahead := time - self._played(clock(), first)) > 0:
                yield Batch((), max(_WAIT_MIN, ahead / self._speed / MICROS))
        yield from self._send(due, live=not replaying)

    @staticmethod
    def _send(due: list[bytes], *, live: bool) -> Iterator[Batch]:
        for index in range(0, len(due), 1_000):
            yield Batch(due[index : index + 1_000], behind=len(due) - index if live else 0)

    def _from(self, start: int) -> Iterator[tuple[bytes, int]]:
        """Lines with their times, from the first at or after `start`; a line without a time has its neighbour's."""
        time, found = 0, False
        for lines in blocks_of(self._path):
            for line in lines:
                time = time_us_of(line) or time
                found = found or time >= start
                if found:
                    yield line, time

    def _played(self, now: int, first_us: int) -> int:
        """The recorded time that the playback has reached at `now`."""
        return first_us + int((now - self._started) * self._speed)


def blocks_of(path: Path) -> Iterator[list[bytes]]:
    """The lines of a recording, some hundreds at a time, without their newlines and without empty ones."""
    rest = b""
    with path.open("rb") as file, _plain(path, file) as reader:
        while block := reader.read(_BLOCK):
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            yield [line for line in lines if line]
    if rest:
        yield [rest]


def _plain(path: Path, file: IO[bytes]) -> IO[bytes]:
    if path.suffix != ".zst":
        return file
    reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
    # The raw reader may return less than was asked for; a buffered one fills its block.
    return io.BufferedReader(reader, _BLOCK)


def extent_of(path: Path) -> Extent:
    """Count a recording's events and find its first and last time; raises SimulatorError if it has none."""
    events, first, last = 0, MICROS**3, 0
    for lines in blocks_of(path):
        events += len(lines)
        times = [time for line in lines if (time := time_us_of(line)) is not None]
        if times:
            first, last = min(first, min(times)), max(last, max(times))
    if not last:
        raise SimulatorError(f"the recording {path} holds no event")
    return Extent(events, first, last)
