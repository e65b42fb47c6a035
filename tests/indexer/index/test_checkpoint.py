from __future__ import annotations

import dataclasses

import pytest

from atsite.core.clock import HOUR_US
from indexer.index.checkpoint import (
    PROTOCOL,
    Checkpoint,
    CheckpointUnreadable,
    Progress,
    Start,
    Stored,
    first_start,
    resume,
    start_from,
    start_live,
)
from indexer.index.gaps import Resumed
from tests.indexer.frames import MINUTE, SECOND, T0

HOST = "jetstream.example.com"
NEWER = Checkpoint(
    host=HOST, protocol=PROTOCOL, cursor=T0, time_us=T0, safe_cursor=T0 - 30 * SECOND, acked_at=T0 + SECOND
)
OLDER = dataclasses.replace(NEWER, cursor=T0 - MINUTE, time_us=T0 - MINUTE, safe_cursor=T0 - 3 * MINUTE)
NONE = Stored(None, "has none")


def test_both_stores_agree_and_it_goes_back_a_minute() -> None:
    assert resume(Stored(NEWER), Stored(NEWER), host=HOST) == Start(T0 - MINUTE, Resumed(T0 - MINUTE, T0), T0 - MINUTE)


def test_of_two_checkpoints_the_one_with_the_smaller_time_counts() -> None:
    for redis, clickhouse in ((NEWER, OLDER), (OLDER, NEWER)):
        start = resume(Stored(redis), Stored(clickhouse), host=HOST)
        assert start == Start(T0 - 3 * MINUTE, Resumed(T0 - 3 * MINUTE, T0 - MINUTE), T0 - 3 * MINUTE)


def test_one_missing_checkpoint_is_replaced_by_the_other_with_a_warning() -> None:
    for redis, clickhouse, name in ((NONE, Stored(NEWER), "Redis"), (Stored(NEWER), NONE, "ClickHouse")):
        start = resume(redis, clickhouse, host=HOST)
        assert start.cursor == T0 - MINUTE
        assert [name in warning for warning in start.warnings] == [True]


def test_without_any_checkpoint_the_start_is_refused_and_the_ways_out_are_named() -> None:
    with pytest.raises(CheckpointUnreadable, match=r"--from CURSOR.*--from-live"):
        resume(NONE, Stored(None, "cannot be read: it is away"), host=HOST)


@pytest.mark.parametrize("other", [{"host": "other.example.com"}, {"protocol": "jetstream-v2"}])
def test_a_checkpoint_of_another_host_or_protocol_goes_back_five_more_minutes(other: dict[str, str]) -> None:
    stored = Stored(dataclasses.replace(NEWER, **other))  # type: ignore[arg-type]

    start = resume(stored, stored, host=HOST)

    assert (start.cursor, start.resumed) == (T0 - 6 * MINUTE, Resumed(T0 - 6 * MINUTE, T0))
    assert len(start.warnings) == 1


def test_a_first_start_goes_back_as_many_hours_as_asked() -> None:
    cursor = T0 - 24 * HOUR_US
    assert first_start(T0, 24) == Start(cursor, Resumed(cursor, cursor, expects_gap=True), cursor, begins_anew=True)
    assert first_start(T0, 0) == start_live(T0) == Start(None, None, T0, begins_anew=True)


def test_an_operators_cursor_is_taken_as_it_is() -> None:
    assert start_from(T0) == Start(T0, Resumed(T0, T0), T0, begins_anew=True)


def test_the_safe_cursor_is_what_had_been_acknowledged_a_minute_before() -> None:
    progress = Progress(host=HOST, safe_cursor=5)
    acked = [(100, 0), (200, 30 * SECOND), (300, MINUTE - 1), (400, MINUTE), (500, 90 * SECOND)]

    safe = [progress.acknowledged(cursor, now_us=T0 + after).safe_cursor for cursor, after in acked]

    assert safe == [5, 5, 5, 100, 200]


@pytest.mark.parametrize(
    ("before", "cursor"),
    [(T0 - 70 * SECOND, T0 - 70 * SECOND), (T0 - 61 * SECOND, T0 - 61 * SECOND), (T0 - 1, T0 - MINUTE), (None, None)],
)
def test_what_earlier_runs_had_acknowledged_a_minute_before_is_safe(before: int | None, cursor: int | None) -> None:
    """A run that ends within a minute saves its own start as the safe cursor, again and again."""
    stuck = dataclasses.replace(NEWER, safe_cursor=T0 - 9 * MINUTE)

    start = resume(Stored(stuck), Stored(stuck, safe_cursor=before), host=HOST)

    assert start.cursor == (T0 - 9 * MINUTE if cursor is None else cursor)
    assert start.safe_cursor == start.cursor


def test_a_checkpoint_ahead_of_the_clock_says_from_when_something_may_be_missing() -> None:
    ahead = dataclasses.replace(NEWER, cursor=T0 + 24 * HOUR_US, safe_cursor=T0 + 24 * HOUR_US - MINUTE)

    start = resume(Stored(ahead), Stored(ahead), host=HOST)
    assert (start.cursor, start.durable_us) == (T0 + 24 * HOUR_US - MINUTE, T0)
    assert start.resumed == Resumed(T0 + 24 * HOUR_US - MINUTE, T0 + 24 * HOUR_US, plausible_us=T0)

    other = resume(Stored(ahead), Stored(ahead), host="other.example.com")
    assert (other.cursor, other.resumed) == (T0 - 6 * MINUTE, Resumed(T0 - 6 * MINUTE, T0))


def test_a_checkpoint_is_read_back_as_it_was_written_and_nonsense_is_an_error() -> None:
    assert Checkpoint.decode(NEWER.encode()) == NEWER
    for text in (b"", b"null", b"{}", b'{"host":1}', b"\xff"):
        with pytest.raises(ValueError):
            Checkpoint.decode(text)


def test_of_two_checkpoints_the_smaller_time_counts_and_not_the_smaller_cursor() -> None:
    """The cursor of a host with a fast clock is ahead of the time that it means."""
    ahead = dataclasses.replace(NEWER, cursor=T0 + 24 * HOUR_US, time_us=T0 - MINUTE)
    for redis, clickhouse in ((NEWER, ahead), (ahead, NEWER)):
        start = resume(Stored(redis), Stored(clickhouse), host=HOST)
        assert start.resumed is not None
        assert (start.resumed.known_us, start.resumed.plausible_us) == (T0 + 24 * HOUR_US, T0 - MINUTE)


def test_no_cursor_is_below_one_which_would_mean_none() -> None:
    assert first_start(HOUR_US, 24).cursor == 1
    early = dataclasses.replace(NEWER, cursor=5, time_us=5, safe_cursor=0)
    assert resume(Stored(early), Stored(early), host=HOST).cursor == 1


def test_a_safe_cursor_is_never_ahead_of_the_cursor() -> None:
    """Nor where the host's clock went back."""
    assert Progress(host=HOST, safe_cursor=10).acknowledged(5, now_us=1).safe_cursor == 5
