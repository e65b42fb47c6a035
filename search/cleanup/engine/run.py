"""Takes the next step of each due clean-up: plan, write, or undo."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

import structlog

from atsite.core.jobs import runner
from search.cleanup.access import sessions
from search.cleanup.engine import remote_repo, undo
from search.cleanup.engine.final_check import finish
from search.cleanup.engine.planning_step import plan_job
from search.cleanup.engine.problems import CannotGoOn, NotNow, SignInNeeded
from search.cleanup.engine.writing import Writing
from search.cleanup.models import CleanupSwitch, RefusedAccount, RepoCleanupJob
from search.cleanup.states import State

if TYPE_CHECKING:
    from atsite.core.jobs.lease import JobLease

log = structlog.get_logger(__name__)

#: A task begins no new job after this, and a job that writes makes room for others.
BUDGET: Final = timedelta(seconds=50)
#: Jobs that one worker runs at the same time: most of their time they wait for a PDS.
SIDE_BY_SIDE: Final = 4
#: How often a paused job looks whether it may go on.
PAUSED: Final = timedelta(minutes=1)


def run_due(*, budget: timedelta = BUDGET, side_by_side: int = SIDE_BY_SIDE) -> int:
    """Run due clean-ups until none is left or the budget is spent; returns how many steps were taken."""
    return runner.run_due(RepoCleanupJob, work, budget=budget, side_by_side=side_by_side)


def work(lease: JobLease[RepoCleanupJob]) -> None:
    """Take the next step of a claimed job, and end its lease. Raises LeaseLost."""
    job = lease.job
    try:
        if lease.cancel_asked:
            lease.release()
        elif RefusedAccount.is_refused(job.did):
            lease.move(State.FAILED, reason="The operator of this site refuses clean-ups of this account.")
        elif CleanupSwitch.is_paused():
            reason = "The operator of this site has paused all clean-ups."
            lease.release(reason=reason, next_at=lease.clock() + PAUSED)
        else:
            _step(lease)
    except NotNow as error:
        lease.later(str(error), timedelta(seconds=error.seconds))
    except SignInNeeded as error:
        lease.move(State.NEEDS_SIGN_IN, reason=str(error))
        sessions.forget_of_job(job)
    except CannotGoOn as error:
        lease.move(State.FAILED, reason=str(error))
    log.info("cleanup.step", job=job.job_id, state=job.state, reason=job.reason)
    if not job.is_active:
        sessions.forget_of_job(job)


def downloading(size: int) -> str:
    """The stage of a download after `size` bytes."""
    return f"downloading the repo: {size / 1e6:,.1f} MB"


def _step(lease: JobLease[RepoCleanupJob]) -> None:
    """Raises NotNow, SignInNeeded, CannotGoOn, LeaseLost."""
    job = lease.job
    if job.current_state is State.PLANNING and job.is_undo:
        undo.plan_undo(lease)
        return
    with remote_repo.opened(job.did, lambda size: lease.keep_progress(stage=downloading(size))) as remote:
        if job.current_state is State.PLANNING:
            plan_job(lease, remote)
            return
        deadline = monotonic() + BUDGET.total_seconds()
        with undo.source_of(job) if job.is_undo else nullcontext() as source:
            writing = Writing(lease, remote, source=source, has_time=lambda: monotonic() < deadline)
            is_done = writing.run()
        if is_done:
            finish(lease, remote)
