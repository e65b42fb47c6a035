"""The states of a clean-up job and the moves between them, in one table. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from atsite.core.jobs.graph import Graph


class State(StrEnum):
    """The state of a job."""

    PLANNING = "planning"  # the repo is read, nothing is deleted yet
    PLANNED = "planned"  # the plan waits for its owner's confirmation
    RUNNING = "running"
    WAITING = "waiting"  # for the PDS's limits, or for its turn
    NEEDS_SIGN_IN = "needs_sign_in"  # the owner must sign in again
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


S = State
GRAPH: Final = Graph(
    initial=S.PLANNING,
    moves={
        S.PLANNING: frozenset({S.PLANNED, S.WAITING, S.NEEDS_SIGN_IN, S.CANCELLED, S.FAILED}),
        # Its owner confirmed it: it waits for the end of the pause, or for a sign-in.
        S.PLANNED: frozenset({S.WAITING, S.NEEDS_SIGN_IN, S.CANCELLED, S.FAILED}),
        S.RUNNING: frozenset({S.WAITING, S.NEEDS_SIGN_IN, S.COMPLETED, S.CANCELLED, S.FAILED}),
        S.WAITING: frozenset({S.PLANNING, S.RUNNING, S.NEEDS_SIGN_IN, S.CANCELLED, S.FAILED}),
        S.NEEDS_SIGN_IN: frozenset({S.PLANNING, S.WAITING, S.CANCELLED, S.FAILED}),
        # What failed may be tried again: from its confirmed plan on, or from the beginning where it has none.
        S.FAILED: frozenset({S.PLANNING, S.WAITING}),
        S.COMPLETED: frozenset(),
        # Its owner, or an operator, stopped it: only a new job, with a new plan, deletes anything after that.
        S.CANCELLED: frozenset(),
    },
    # A job that waits without a confirmed plan is claimed to be planned (RepoCleanupJob.claimed_as).
    claims={S.PLANNING: S.PLANNING, S.RUNNING: S.RUNNING, S.WAITING: S.RUNNING},
    ended=frozenset({S.COMPLETED, S.CANCELLED, S.FAILED}),
    failed=S.FAILED,
    waiting=S.WAITING,
    cancelled=S.CANCELLED,
)


def state_after_retry(*, is_confirmed: bool) -> State:
    """The state after a retry: a failed job whose plan was confirmed continues with the rest of it."""
    return State.WAITING if is_confirmed else State.PLANNING
