"""Running what is due: each job once, side by side, and no fault of one holds the others up for ever."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from atsite.core.jobs import runner
from tests.core.jobs.rows import MINUTE, Errand, State, errand, stored

if TYPE_CHECKING:
    from atsite.core.jobs.lease import JobLease

pytestmark = pytest.mark.usefixtures("errands")


def test_everything_that_is_due_is_run_once_side_by_side() -> None:
    rows = [errand() for _ in range(6)]
    later = errand(next_at=timezone.now() + MINUTE)
    together, ran = threading.Barrier(3), []

    def work(lease: JobLease[Errand]) -> None:
        together.wait(60)  # three at a time, else this never returns
        ran.append(lease.job.pk)
        lease.move(State.DONE)

    assert runner.run_due(Errand, work, budget=MINUTE, side_by_side=3) == 6
    assert sorted(ran) == [row.pk for row in rows]
    assert {row.state for row in Errand.objects.exclude(pk=later.pk)} == {State.DONE}
    assert stored(later).state == State.ASKED


def test_without_a_budget_nothing_is_begun() -> None:
    row = errand()
    assert runner.run_due(Errand, lambda lease: lease.move(State.DONE), budget=timedelta(0)) == 0
    assert stored(row).state == State.ASKED


def test_a_lost_lease_is_no_error() -> None:
    first, second = errand(), errand()

    def work(lease: JobLease[Errand]) -> None:
        if lease.job.pk == first.pk:
            Errand.objects.filter(pk=first.pk).update(fence=40, leased_until=timezone.now() + MINUTE)
        lease.move(State.DONE)

    assert runner.run_due(Errand, work, budget=MINUTE) == 2
    assert [stored(row).state for row in (first, second)] == [State.GOING, State.DONE]


@pytest.mark.parametrize("side_by_side", [1, 2])
def test_an_error_that_nobody_foresaw_is_raised_and_its_job_waits(side_by_side: int) -> None:
    bad, good = errand(next_at=timezone.now() - 2 * MINUTE), errand()

    def work(lease: JobLease[Errand]) -> None:
        if lease.job.pk == bad.pk:
            raise ZeroDivisionError
        lease.move(State.DONE)

    with pytest.raises(ZeroDivisionError):
        runner.run_due(Errand, work, budget=MINUTE, side_by_side=side_by_side)
    runner.run_due(Errand, work, budget=MINUTE)
    assert (stored(bad).state, stored(good).state) == (State.RESTING, State.DONE)
