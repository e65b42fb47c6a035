from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from atsite.core.clickhouse import door
from atsite.core.errors import EXIT_NEEDS_YOU
from indexer.index.events import Dead, DeadReason, Skip, SkipReason
from indexer.stream.unreadable_stream import DEAD_MAX, WINDOW, DeadShare, StreamUnreadable
from tests.indexer.conftest import index
from tests.indexer.frames import T0
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.indexer.synthetic import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.indexer.conftest import IndexerProcess

FINE = Skip(SkipReason.UNKNOWN_KIND, 1)
DEAD = Dead(DeadReason.MALFORMED, "", b"{", 0)


def ends_at(frames: str, size: int) -> int | None:
    """After how many frames (`.` fine, `x` dead), handed over in parts of `size`, the source is given up."""
    share = DeadShare()
    for start in range(0, len(frames), size):
        part = [DEAD if each == "x" else FINE for each in frames[start : start + size]]
        try:
            if DEAD in part:
                share.take(part)
            else:
                share.pass_by(len(part))
        except StreamUnreadable:
            return start + len(part)
    return None


def expected(frames: str) -> int | None:
    """The same, counted again for each window."""
    windows = range(WINDOW, len(frames) + 1)
    return next((end for end in windows if frames[end - WINDOW : end].count("x") > DEAD_MAX), None)


HALF = "x" * DEAD_MAX


@pytest.mark.parametrize(
    "frames",
    [
        "x" * (WINDOW - 1),
        "x" * WINDOW,
        "x." * WINDOW,
        HALF + "." * DEAD_MAX + HALF,
        "." * 5000 + HALF + "x",
        HALF + "x" + "." * (DEAD_MAX - 1),
        "".join(random.Random(3).choices("x.", weights=(52, 48), k=4000)),
        "".join(random.Random(4).choices("x.", weights=(40, 60), k=4000)),
    ],
    ids=[
        "too few to say",
        "all",
        "every other",
        "half, half and half",
        "after a long time",
        "at first",
        "52 %",
        "40 %",
    ],
)
def test_a_source_is_given_up_when_over_half_of_a_thousand_frames_in_a_row_are_dead(frames: str) -> None:
    assert ends_at(frames, 1) == expected(frames)
    together = ends_at(frames, 250)
    assert (together is None) == (expected(frames) is None)


@pytest.mark.usefixtures("clickhouse", "valkey")
@pytest.mark.django_db(databases=["default", "clickhouse"])
class TestTheStream:
    def test_a_source_that_speaks_something_else_stops_the_indexer_with_the_reason(self) -> None:
        stream = [b'{"op":1,"time_us":%d}' % (T0 + number) for number in range(2 * WINDOW)]
        with (
            simulated_jetstream(MemorySource(stream)) as jetstream,
            pytest.raises(StreamUnreadable, match=r"frames could not be read: bad_frame.*WS_URL.*Jetstream v1"),
        ):
            index(jetstream.url, events=len(stream))

    def test_the_command_ends_with_the_code_that_says_so(self, processes: Callable[..., IndexerProcess]) -> None:
        stream = [b'{"op":1,"time_us":%d}' % (T0 + number) for number in range(2 * WINDOW)]
        with simulated_jetstream(MemorySource(stream)) as jetstream:
            code, output = processes(jetstream.url, "--from", "1").wait()

        assert code == EXIT_NEEDS_YOU, output
        assert "could not be read: bad_frame" in output

    def test_some_hundred_bad_frames_in_a_row_stop_nothing(self) -> None:
        good = synthetic(events=700)
        stream = [*good[:300], *(b"{%d" % number for number in range(DEAD_MAX)), *good[300:]]
        with simulated_jetstream(MemorySource(stream)) as jetstream:
            assert index(jetstream.url, events=len(stream)) == len(stream)

        assert door.scalar("SELECT count() FROM dead_letters FINAL", name="tests.letters") == DEAD_MAX
