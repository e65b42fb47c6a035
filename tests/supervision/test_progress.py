from __future__ import annotations

import pytest

from atsite.supervision.progress import Sample, behind, change_of, progress_line
from indexer.index.stream_state import Condition, StreamState

ROWS = {"follows": 7, "posts": 102_030, "likes": 220_123, "repo_records": 400_000}


def test_the_line_tells_rate_lag_and_rows_of_the_tables_people_know() -> None:
    line = progress_line(Sample(10.0, events=1_000.0), Sample(12.0, events=17_824.0, lag=258_720.0, rows=ROWS))
    assert line == "8,412 events/s · 71 h 52 min behind · posts 102,030 · likes 220,123 · follows 7"


def test_an_indexer_that_was_started_again_counts_from_zero() -> None:
    assert progress_line(Sample(1.0, events=9_000.0), Sample(2.0, events=300.0, lag=0.4)) == "300 events/s · live"


def test_the_first_answer_counts_from_the_moment_the_question_was_first_asked() -> None:
    assert progress_line(Sample(0.0), Sample(4.0, events=400.0)) == "100 events/s"


def test_an_indexer_that_has_read_nothing_is_not_called_live() -> None:
    assert progress_line(Sample(0.0, events=0.0, lag=0.0), Sample(1.0, events=0.0, lag=0.0)) == "0 events/s"


def test_without_an_indexer_the_line_says_what_is_waited_for() -> None:
    assert progress_line(Sample(0.0), Sample(1.0, rows={"posts": 5})) == "waiting for the indexer · posts 5"


def test_a_stream_without_events_is_not_called_live_but_says_what_is_wrong() -> None:
    lost = "no connection to jetstream.example since 12:00:00 UTC: it refuses connections"
    now = Sample(2.0, events=5.0, lag=0.4, rows={"posts": 5}, problem=lost)
    assert progress_line(Sample(1.0, events=5.0), now) == f"{lost} · posts 5"


def test_a_filtered_stream_is_quiet_and_not_behind() -> None:
    stream = StreamState("jetstream.example", Condition.STREAMING, since=0.0, filtered=True)
    line = progress_line(Sample(1.0, events=5.0), Sample(2.0, events=5.0, lag=40.0, stream=stream))
    assert line == "0 events/s · last event 40 s ago"


def test_a_problem_is_said_once_when_it_comes_and_when_it_goes() -> None:
    said = [change_of(before, now) for before, now in [("", ""), ("", "a"), ("a", "a"), ("a", "b"), ("b", "")]]
    assert said == ["", "The stream: a.", "", "The stream: b.", "The stream: events can arrive again."]


def test_totals_do_not_go_down() -> None:
    """A merge folds rows that were written twice, and a ClickHouse that is away answers nothing."""
    before = Sample(1.0, events=5.0, rows={"posts": 100, "likes": 50})
    merged = Sample(2.0, events=6.0, rows={"posts": 90, "likes": 60, "follows": 1}).at_least(before)
    assert merged == Sample(2.0, events=6.0, rows={"posts": 100, "likes": 60, "follows": 1})
    assert Sample(3.0).at_least(merged) == Sample(3.0, rows=merged.rows)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "live"),
        (2.9, "live"),
        (3.0, "3 s behind"),
        (119.4, "119 s behind"),
        (120.0, "2 min behind"),
        (7_199.0, "119 min behind"),
        (7_200.0, "2 h 0 min behind"),
        (259_199.0, "71 h 59 min behind"),
    ],
)
def test_a_lag_is_said_as_a_person_says_it(seconds: float, text: str) -> None:
    assert behind(seconds) == text
