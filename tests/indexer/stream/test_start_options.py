from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from indexer.stream import checkpoint_store
from indexer.stream.position import AHEAD_US
from indexer.stream.start_options import CursorUnusable, check_cursor
from tests.indexer.conftest import index
from tests.indexer.frames import T0

if TYPE_CHECKING:
    from collections.abc import Callable

    import redis

    from tests.indexer.conftest import IndexerProcess

WRONG = [
    (T0 * 1000, f"nanoseconds.*--from {T0}"),
    (T0 // 1000, f"milliseconds.*--from {T0}"),
    (T0 // 1_000_000, f"seconds.*--from {T0}"),
    (0, "not a valid time"),
    (-T0, "not a valid time"),
    (12_345_678_901_234_567_890, "not a valid time"),
    (1 << 64, "not a valid time"),
    (T0 + AHEAD_US + 1, "in the future"),
]


@pytest.mark.parametrize(("cursor", "said"), WRONG)
def test_what_is_no_cursor_is_refused_with_what_would_be(cursor: int, said: str) -> None:
    with pytest.raises(CursorUnusable, match=rf"--from {cursor} .*{said}") as error:
        check_cursor(cursor, T0)
    assert "unix microseconds" in str(error.value)


@pytest.mark.parametrize("cursor", [1, T0 - 1, T0, T0 + AHEAD_US])
def test_a_time_of_the_stream_and_its_beginning_are_taken(cursor: int) -> None:
    check_cursor(cursor, T0)


@pytest.mark.usefixtures("clickhouse")
@pytest.mark.django_db(databases=["default", "clickhouse"])
class TestNothingIsSaved:
    @pytest.mark.parametrize("cursor", [T0 * 1000, -5, 12_345_678_901_234_567_890])
    def test_by_a_start_with_a_wrong_cursor(self, cursor: int, valkey: redis.Redis) -> None:
        with pytest.raises(CursorUnusable):
            index("ws://127.0.0.1:1/", events=0, from_cursor=cursor)

        assert checkpoint_store.load_clickhouse().problem == "has none"
        assert valkey.get(checkpoint_store.KEY) is None

    def test_by_the_command_which_names_the_option(
        self, processes: Callable[..., IndexerProcess], valkey: redis.Redis
    ) -> None:
        code, output = processes("ws://127.0.0.1:1/", "--from", str(T0 * 1000)).wait()

        assert code != 0
        assert f"argument --from: {T0 * 1000} is in nanoseconds" in output
        assert valkey.get(checkpoint_store.KEY) is None
