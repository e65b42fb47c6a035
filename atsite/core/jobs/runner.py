"""Runs the jobs that are due; called by a task every minute."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import structlog
from django.db import connections

from atsite.core.jobs.errors import LeaseLost
from atsite.core.jobs.lease import claim_next

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from atsite.core.jobs.lease import JobLease
    from atsite.core.jobs.models import Job

J = TypeVar("J", bound="Job")

log = structlog.get_logger(__name__)


def run(lease: JobLease[J], work: Callable[[JobLease[J]], None]) -> None:
    """Do the work of a claimed job. A lost lease is not an error; other errors of `work` are re-raised."""
    try:
        with lease:
            work(lease)
    except LeaseLost:
        log.info("job.lost", kind=type(lease.job).__name__, job=str(lease.job))


def run_due(model: type[J], work: Callable[[JobLease[J]], None], *, budget: timedelta, side_by_side: int = 1) -> int:
    """Run due jobs until none is left or the budget is spent; returns how many. Raises unexpected errors of `work`.

    `work` must end its lease: a job that is due again at once would be run again.
    """
    deadline = monotonic() + budget.total_seconds()
    if side_by_side == 1:
        return _run_until(deadline, model, work)
    with ThreadPoolExecutor(side_by_side, thread_name_prefix=model.__name__) as pool:
        return sum(pool.map(lambda _: _in_thread(deadline, model, work), range(side_by_side)))


def _in_thread(deadline: float, model: type[J], work: Callable[[JobLease[J]], None]) -> int:
    try:
        return _run_until(deadline, model, work)
    finally:
        connections.close_all()  # this thread's


def _run_until(deadline: float, model: type[J], work: Callable[[JobLease[J]], None]) -> int:
    runs = 0
    while monotonic() < deadline and (lease := claim_next(model)) is not None:
        run(lease, work)
        runs += 1
    return runs
