"""The states of a kind of job and the legal moves between them. Pure; an inconsistent graph fails at import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from atsite.core.jobs.errors import IllegalMove

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import Enum

S = TypeVar("S", bound=str)


@dataclass(frozen=True)
class Graph(Generic[S]):
    """States are the members of a string enum. Raises ValueError, which lists every fault, if they are inconsistent."""

    initial: S
    #: State -> the states that may follow it.
    moves: Mapping[S, frozenset[S]]
    #: State in which a worker may claim a job -> the state of the job while the worker has it.
    claims: Mapping[S, S]
    #: The end states; where `moves` allows it, a person may try again.
    ended: frozenset[S]
    #: The state of a job that was given up.
    failed: S
    #: The state of a job that waits for its due time. None: it waits in its current state.
    waiting: S | None = None
    cancelled: S | None = None

    def __post_init__(self) -> None:
        if faults := [*self._faults_of_moves(), *self._faults_of_claims()]:
            raise ValueError(f"the states of {type(self.initial).__qualname__}: {'; '.join(faults)}")

    @property
    def states(self) -> frozenset[S]:
        """Every state, also those that `moves` does not list."""
        return cast("frozenset[S]", frozenset(cast("type[Enum]", type(self.initial))))

    @property
    def active(self) -> frozenset[S]:
        """The states of a job that has not ended."""
        return self.states - self.ended

    def may_move(self, before: str, after: str) -> bool:
        """Whether a job may move from one state to the other."""
        return after in self.moves[cast("S", before)]

    def check_move(self, before: str, after: str) -> None:
        """Raises IllegalMove if a job may not move from one state to the other."""
        if not self.may_move(before, after):
            raise IllegalMove(f"a job that is {words(before)} cannot become {words(after)}")

    def _faults_of_moves(self) -> Iterable[str]:
        if set(self.moves) != self.states:
            yield f"moves must list each state once; wrong or missing: {_named(self.states ^ set(self.moves))}"
            return
        if unknown := frozenset[Any]().union(*self.moves.values()) - self.states:
            yield f"{_named(unknown)} is the target of a move, but does not exist"
            return
        if still := [state for state in self.states if state in self.moves[state]]:
            yield f"{_named(still)} leads to itself"
        if lost := self.states - self._from({self.initial}):
            yield f"{_named(lost)} cannot be reached from {self.initial}"
        if endless := [state for state in self.active if not self._from({state}) & self.ended]:
            yield f"no end can be reached from {_named(endless)}"

    def _faults_of_claims(self) -> Iterable[str]:
        working = set(self.claims.values())
        if self.failed not in self.ended or self.cancelled not in {*self.ended, None}:
            yield "failed and cancelled are not among the ended states"
        if ended := set(self.claims) & self.ended:
            yield f"{_named(ended)} has ended and cannot be claimed"
        if lost := [state for state in working if self.claims.get(state) != state]:
            yield f"a job whose worker died in {_named(lost)} could not be claimed again"
        if self.waiting is not None and self.waiting not in self.claims:
            yield f"{self.waiting} is never claimed, so a job would wait in it forever"
        needed = [(before, after) for before, after in self.claims.items() if before != after]
        needed += [(state, self.failed) for state in self.claims]
        needed += [(state, self.waiting) for state in working if self.waiting not in {None, state}]
        needed += [(state, self.cancelled) for state in self.claims if self.cancelled is not None]
        for before, after in needed:
            if after not in self.moves.get(before, frozenset()):
                yield f"{before} must be able to become {after}"

    def _from(self, reached: set[S]) -> set[S]:
        """These states and all that can be reached from them."""
        while new := {after for before in reached for after in self.moves[before]} - reached:
            reached = reached | new
        return reached


def words(state: str) -> str:
    """The readable name of a state: "needs sign in"."""
    return str(state).replace("_", " ")


def _named(states: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, states)))
