"""Graphs of states: what a good one allows, and that one which makes no sense does not get past its import."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import models

from atsite.core.jobs.errors import IllegalMove
from atsite.core.jobs.graph import Graph
from atsite.core.jobs.models import Job
from indexer.index.models import Backfill
from tests.core.jobs.rows import Errand


class S(StrEnum):
    NEW = "new"
    AT_WORK = "at_work"
    LATER = "later"
    DONE = "done"
    STOPPED = "stopped"


GOOD = Graph(
    initial=S.NEW,
    moves={
        S.NEW: frozenset({S.AT_WORK, S.STOPPED}),
        S.AT_WORK: frozenset({S.LATER, S.DONE, S.STOPPED}),
        S.LATER: frozenset({S.AT_WORK, S.STOPPED}),
        S.DONE: frozenset(),
        S.STOPPED: frozenset({S.LATER}),
    },
    claims={S.NEW: S.AT_WORK, S.AT_WORK: S.AT_WORK, S.LATER: S.AT_WORK},
    ended=frozenset({S.DONE, S.STOPPED}),
    failed=S.STOPPED,
    waiting=S.LATER,
    cancelled=S.STOPPED,
)


def moves(**changed: set[str]) -> dict[str, Any]:
    """GOOD's moves, some of them others."""
    return {"moves": {**GOOD.moves, **{S(name): frozenset(to) for name, to in changed.items()}}}


def test_what_is_active_and_what_may_follow() -> None:
    assert GOOD.active == {S.NEW, S.AT_WORK, S.LATER}
    assert (GOOD.may_move("new", "at_work"), GOOD.may_move("new", "done")) == (True, False)
    GOOD.check_move("at_work", "done")
    with pytest.raises(IllegalMove, match="a job that is at work cannot become new"):
        GOOD.check_move(S.AT_WORK, S.NEW)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (
            {"moves": {S.NEW: frozenset({S.DONE})}},
            "list each state once; wrong or missing: at_work, done, later, stopped",
        ),
        (moves(new={"at_work", "stopped", "elsewhere"}), "elsewhere is the target of a move, but does not exist"),
        (moves(new={"at_work", "stopped", "new"}), "new leads to itself"),
        (moves(at_work={"done", "stopped"}, stopped=set()), "later cannot be reached from new"),
        (
            {**moves(new={"at_work"}, at_work={"later"}, later={"at_work"}), "ended": frozenset({S.DONE, S.STOPPED})},
            "no end can be reached from at_work, later, new",
        ),
        ({"failed": S.LATER}, "failed and cancelled are not among the ended states"),
        ({"cancelled": S.LATER}, "failed and cancelled are not among the ended states"),
        ({"claims": {**GOOD.claims, S.DONE: S.AT_WORK}}, "done has ended and cannot be claimed"),
        ({"claims": {S.NEW: S.AT_WORK, S.LATER: S.AT_WORK}}, "worker died in at_work could not be claimed again"),
        ({"claims": {S.NEW: S.AT_WORK, S.AT_WORK: S.AT_WORK}}, "later is never claimed, so a job would wait in it"),
        (moves(later={"stopped"}), "later must be able to become at_work"),
        (moves(at_work={"done", "stopped"}), "at_work must be able to become later"),
        (moves(new={"at_work"}), "new must be able to become stopped"),
    ],
)
def test_a_graph_that_makes_no_sense_says_why(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        replace(GOOD, **changes)


def test_a_model_whose_column_knows_other_states_than_its_graph_is_an_error() -> None:
    class Odd(Job):
        graph = GOOD
        progress_fields = ("far",)
        state = models.CharField(max_length=16, choices=[("new", "new")], default="new")

        class Meta:
            app_label = "channels"
            apps = Apps()

    assert [error.id for error in Odd.check(databases=[])] == ["jobs.E001", "jobs.E002"]
    assert [model.check(databases=[]) for model in (Errand, Backfill)] == [[], []]
