from __future__ import annotations

import pytest

from indexer.index.stream_state import Condition, StreamState, clock

NOW = 1_777_636_800.0  # 12:00 UTC
HOUR = 3600.0


def state(
    condition: Condition, *, since: float = NOW - 60, reported: float = NOW - 15, reason: str = ""
) -> StreamState:
    return StreamState("jetstream.example", condition, since=since, reason=reason, at=reported)


@pytest.mark.parametrize(
    ("reported", "problem"),
    [
        (state(Condition.STREAMING), ""),
        (
            state(Condition.STREAMING, reported=NOW - 15.5),
            "the indexer of H has given no sign of life since 11:59:44 UTC",
        ),
        (state(Condition.CONNECTING, since=NOW - 5), ""),
        (state(Condition.CONNECTING, since=NOW - 6), "connecting to H since 11:59:54 UTC"),
        (state(Condition.LOST, reason="refused"), "no connection to H since 11:59:00 UTC: refused"),
        (state(Condition.SILENT), "H is connected, but has sent no event since 11:59:00 UTC"),
        (
            state(Condition.QUIET, since=NOW - 24 * HOUR),
            "H has sent no event since 2026-04-30 12:00 UTC; it is asked only for what WANTED_… names",
        ),
        (
            state(Condition.STOPPED, reported=NOW - HOUR, reason="disk full"),
            "the indexer of H stopped at 11:59:00 UTC: disk full",
        ),
    ],
)
def test_a_report_says_what_is_wrong_and_since_when(reported: StreamState, problem: str) -> None:
    assert reported.problem(NOW) == problem.replace("H ", "jetstream.example ")


@pytest.mark.parametrize(
    ("reported", "ended"),
    [
        (state(Condition.STREAMING), False),
        (state(Condition.STREAMING, reported=NOW - 15.5), True),
        (state(Condition.STOPPED, reported=NOW), True),
    ],
)
def test_an_indexer_has_ended_if_it_says_so_or_says_nothing_for_long(reported: StreamState, ended: bool) -> None:
    assert reported.has_ended(NOW) is ended


def test_a_time_of_more_than_a_day_ago_names_its_day() -> None:
    assert [clock(NOW - ago, NOW) for ago in (24 * HOUR - 1, 24 * HOUR)] == ["12:00:01 UTC", "2026-04-30 12:00 UTC"]


@pytest.mark.parametrize("text", ["[]", "{}", "null", '{"condition": "streaming", "other": 1}', "{"])
def test_what_is_not_a_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a state of the stream|Expecting"):
        StreamState.decode(text)
