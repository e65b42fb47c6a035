from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

import pytest
import zstandard

from indexer.simulator.errors import SimulatorError
from indexer.simulator.serving.recorded_source import MAX, Extent, RecordedSource, blocks_of, extent_of
from indexer.simulator.serving.server import SimulatedJetstream
from tests.indexer.simulator.subscribers import commit, replay

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SECOND = 1_000_000
START = 1_742_830_646_000_000
# One event a second, each second one 40 ms earlier than its place says.
TIMES = [START + number * SECOND - 40_000 * (number % 2) for number in range(60)]
LINES = [commit(time) for time in TIMES]


def write(path: Path, lines: Iterable[bytes]) -> Path:
    data = b"\n".join(lines)
    path.write_bytes(zstandard.ZstdCompressor().compress(data) if path.suffix == ".zst" else data)
    return path


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write(tmp_path / "minute.jsonl", LINES)


def sent(source: RecordedSource, cursor: int | None, now: int, steps: int = 40) -> list[bytes]:
    """What a stream gives in some steps while the clock stands still."""
    return [line for batch in islice(source.stream(cursor, lambda: now), steps) for line in batch.lines]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.zst"])
async def test_lines_are_sent_as_the_bytes_they_are(name: str, tmp_path: Path) -> None:
    lines = [b'{"time_us": 7,  "spaces":   true}', b"not json", commit(9, size=70_000), commit(10)]
    async with SimulatedJetstream(RecordedSource(write(tmp_path / name, lines))) as server:
        assert await replay(server.url, 4) == lines
        assert await replay(f"{server.url}?cursor=9", 2) == lines[2:]


def test_a_recording_is_read_in_blocks(tmp_path: Path) -> None:
    lines = [commit(number, size=1_000) for number in range(1, 3_000)]
    path = write(tmp_path / "big.jsonl.zst", lines)
    blocks = list(blocks_of(path))
    assert [line for block in blocks for line in block] == lines
    assert max(sum(map(len, block)) for block in blocks) < 300_000
    assert extent_of(path) == Extent(2_999, 1, 2_999)


def test_at_full_speed_a_cursor_starts_inside_and_none_at_the_beginning(recording: Path) -> None:
    source = RecordedSource(recording)
    source.start(START)
    assert sent(source, None, START) == LINES
    assert sent(source, TIMES[30], START) == LINES[30:]
    assert sent(source, TIMES[31] + 1, START) == LINES[32:]
    assert sent(source, TIMES[-1] + 50_000, START) == []


@pytest.mark.parametrize(("speed", "seconds", "played"), [(1.0, 5, 6), (10.0, 2, 21), (1.0, 100, 60)])
def test_in_time_the_recording_plays_as_the_clock_goes(
    recording: Path, speed: float, seconds: int, played: int
) -> None:
    source = RecordedSource(recording, speed=speed)
    opened = 1_800_000_000_000_000
    source.start(opened)
    now = opened + seconds * SECOND
    assert sent(source, 0, now) == LINES[:played]


def test_in_time_a_client_without_a_cursor_gets_what_comes(recording: Path) -> None:
    source = RecordedSource(recording, speed=1.0)
    source.start(0)
    clock = iter([10 * SECOND, *([12 * SECOND] * 200)])
    lines = [line for batch in islice(source.stream(None, lambda: next(clock)), 20) for line in batch.lines]
    assert lines == [LINES[10], LINES[11], LINES[12]]


@pytest.mark.parametrize("speed", [1.0, 10.0, MAX])
def test_shifted_to_now_the_recording_ends_when_its_play_does(recording: Path, speed: float) -> None:
    now = 1_800_000_000_000_000
    source = RecordedSource(recording, speed=speed, shift_to_now=True)
    source.start(now)
    ends = now + int(60 * SECOND / speed)
    times = [json.loads(line)["time_us"] for line in sent(source, 0, ends + SECOND, 200)]
    assert [time - source.shift_seconds * SECOND for time in times] == TIMES
    assert ends - 3 * SECOND < times[-1] <= ends


def test_another_host_has_other_times_and_cursors(recording: Path) -> None:
    source = RecordedSource(recording, witness_us=5 * SECOND)
    source.start(START)
    lines = sent(source, TIMES[30] + 5 * SECOND, START)
    assert lines == [commit(time + 5 * SECOND) for time in TIMES[30:]]


def test_a_recording_that_is_missing_or_empty_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match="there is no recording at"):
        RecordedSource(tmp_path / "none.jsonl")
    with pytest.raises(SimulatorError, match="holds no event"):
        RecordedSource(write(tmp_path / "empty.jsonl", [b""]), shift_to_now=True).start(0)
    with pytest.raises(SimulatorError, match="the speed must be above 0"):
        RecordedSource(write(tmp_path / "one.jsonl", [commit(1)]), speed=0)
