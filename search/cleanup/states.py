"""What may become of a clean-up job: one table. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from atsite.core.errors import AtsiteError

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """Where a job is."""

    PLANNING = "planning"  # the repo is read, nothing is deleted yet
    PLANNED = "planned"  # the plan waits for its owner's word
    RUNNING = "running"
    WAITING = "waiting"  # for the PDS's limits, or for its turn
    NEEDS_SIGN_IN = "needs_sign_in"  # the owner must sign in again
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class IllegalMove(AtsiteError):
    """A job cannot go from where it is to where somebody wants it."""


S = State
#: From each state to those that may follow.
MOVES: Final[Mapping[State, frozenset[State]]] = {
    S.PLANNING: frozenset({S.PLANNED, S.WAITING, S.NEEDS_SIGN_IN, S.CANCELLED, S.FAILED}),
    S.PLANNED: frozenset({S.PLANNING, S.RUNNING, S.CANCELLED, S.FAILED}),
    S.RUNNING: frozenset({S.WAITING, S.NEEDS_SIGN_IN, S.COMPLETED, S.CANCELLED, S.FAILED}),
    S.WAITING: frozenset({S.PLANNING, S.RUNNING, S.NEEDS_SIGN_IN, S.CANCELLED, S.FAILED}),
    S.NEEDS_SIGN_IN: frozenset({S.PLANNING, S.WAITING, S.CANCELLED, S.FAILED}),
    # What failed may be tried again: from its plan on, or from the beginning where it has none.
    S.FAILED: frozenset({S.PLANNING, S.WAITING}),
    S.COMPLETED: frozenset(),
    # Its owner, or an operator, said stop: only a new job, with a new plan, deletes anything after that.
    S.CANCELLED: frozenset(),
}
#: A did has one job in these states at most.
ACTIVE: Final = frozenset({S.PLANNING, S.PLANNED, S.RUNNING, S.WAITING, S.NEEDS_SIGN_IN})
#: Nothing more happens by itself.
ENDED: Final = frozenset(State) - ACTIVE


def may_move(before: State, after: State) -> bool:
    """Whether a job may go from one state to the other."""
    return after in MOVES[before]


def check_move(before: State, after: State) -> None:
    """Raises IllegalMove where a job may not go from one state to the other."""
    if not may_move(before, after):
        raise IllegalMove(f"a job that is {before.replace('_', ' ')} cannot become {after.replace('_', ' ')}")


def retried(*, is_planned: bool) -> State:
    """Where a failed job begins again: one that has a plan goes on with what is left of it."""
    return State.WAITING if is_planned else State.PLANNING
