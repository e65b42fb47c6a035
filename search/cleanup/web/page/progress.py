"""What the page shows of a clean-up while it lives: the same for the first sight and for the socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format

from search.cleanup.states import State

if TYPE_CHECKING:
    from search.cleanup.models import RepoCleanupJob


def progress_of(job: RepoCleanupJob) -> dict[str, Any]:
    """Numbers and words; nothing that its owner may not see, and no secret."""
    return {
        "state": job.state,
        "cancelling": job.is_to_be_cancelled,
        "heading": heading(job),
        "stage": job.stage,
        "reason": job.reason,
        "percent": job.percent,
        "planned": f"{job.records_planned:,}",
        "done": f"{job.records_deleted:,}",
        "gone": f"{job.records_gone:,}",
        "kept": f"{job.records_kept:,}",
        "remaining": f"{job.remaining:,}",
        "next": date_format(job.next_at, "Y-m-d H:i") + " UTC" if job.next_at else "",
    }


def heading(job: RepoCleanupJob) -> str:
    """What happens now, in a few words."""
    if job.is_to_be_cancelled:
        return "The clean-up ends after the current batch"
    undo, begun = job.is_undo, job.started_at is not None
    match job.current_state:
        case State.PLANNING:
            return "Getting ready to undo" if undo else "Reading your repo and making the plan"
        case State.PLANNED:
            return "The plan is ready"
        case State.RUNNING:
            return "Creating the records again" if undo else "Deleting"
        case State.WAITING:
            if job.confirmed_at is None:
                return "Waiting to try again"
            return "Waiting to go on" if begun or undo else "Confirmed: deleting begins in at most ten minutes"
        case State.NEEDS_SIGN_IN:
            return "Please sign in again"
        case State.COMPLETED:
            return "Undone" if undo else "Done"
        case State.CANCELLED:
            return "Cancelled"
        case _:
            return "Failed"
