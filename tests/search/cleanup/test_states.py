"""The table of what may become of a job."""

from __future__ import annotations

from itertools import product

import pytest

from atsite.core.jobs.errors import IllegalMove
from search.cleanup.states import GRAPH, State, state_after_retry

#: Every legal move, written out once more as a person would say it.
LEGAL = """
planning -> planned waiting needs_sign_in cancelled failed
planned -> waiting needs_sign_in cancelled failed
running -> waiting needs_sign_in completed cancelled failed
waiting -> planning running needs_sign_in cancelled failed
needs_sign_in -> planning waiting cancelled failed
failed -> planning waiting
"""


def test_the_moves_are_these_and_no_others() -> None:
    legal = {
        (State(before), State(after))
        for line in LEGAL.strip().splitlines()
        for before, _, rest in [line.partition(" -> ")]
        for after in rest.split()
    }
    assert {(before, after) for before, after in product(State, State) if GRAPH.may_move(before, after)} == legal


def test_every_state_has_its_line_and_is_active_or_ended() -> None:
    assert set(GRAPH.moves) == set(State) == GRAPH.active | GRAPH.ended
    assert {State.COMPLETED, State.CANCELLED, State.FAILED} == GRAPH.ended


def test_every_job_can_reach_an_end_from_everywhere() -> None:
    for state in GRAPH.active:
        assert GRAPH.may_move(state, State.CANCELLED), state
        assert GRAPH.may_move(state, State.FAILED), state


def test_what_was_cancelled_or_completed_stays_so() -> None:
    assert GRAPH.moves[State.CANCELLED] == GRAPH.moves[State.COMPLETED] == frozenset()


def test_nothing_is_deleted_that_was_not_planned() -> None:
    assert {before for before in State if GRAPH.may_move(before, State.RUNNING)} == {State.WAITING}


def test_an_illegal_move_is_said_in_words() -> None:
    with pytest.raises(IllegalMove, match="a job that is needs sign in cannot become completed"):
        GRAPH.check_move(State.NEEDS_SIGN_IN, State.COMPLETED)
    GRAPH.check_move(State.RUNNING, State.COMPLETED)


def test_a_failed_job_goes_on_with_its_confirmed_plan_or_begins_with_one() -> None:
    states = state_after_retry(is_confirmed=True), state_after_retry(is_confirmed=False)
    assert states == (State.WAITING, State.PLANNING)
    assert all(GRAPH.may_move(State.FAILED, state) for state in states)
