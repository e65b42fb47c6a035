"""The end of a job: compares its plan with the repo, and says what is left and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from search.cleanup.engine import backups
from search.cleanup.engine.batch_rows import all_batches
from search.cleanup.engine.repo_changes import paths_of
from search.cleanup.models import Outcome
from search.cleanup.states import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atsite.core.jobs.lease import JobLease
    from search.cleanup.engine.remote_repo import RemoteRepo
    from search.cleanup.models import RepoCleanupJob

#: Why a record is left, by its outcome.
_WHY: Final = {Outcome.CHANGED: "changed", Outcome.REFUSED: "refused"}
_WORDS: Final = {
    "changed": "{} were changed after the plan was made, and stay",
    "refused": "{} were refused by your server",
    "still_there": "{} are there again",
    "not_there": "{} are gone again",
}


def finish(lease: JobLease[RepoCleanupJob], remote: RemoteRepo) -> None:
    """Compare, and end the job. Raises NotNow, CannotGoOn, LeaseLost."""
    job = lease.job
    with remote.downloaded() as (_, repo):
        lease.keep_progress(stage="comparing the repo with the plan")
        left = what_is_left(job, paths_of(repo))
    until: dict[str, Any] = {"backup_until": backups.until(lease.clock())} if job.backup else {}
    text = in_words(left)
    lease.move(State.COMPLETED, reason=text, report={"left": left, "text": text}, stage="", **until)


def what_is_left(job: RepoCleanupJob, current: Mapping[str, str]) -> dict[str, int]:
    """How many records of the plan are not as they should be, by reason."""
    left: Counter[str] = Counter()
    for batches in all_batches(job):
        for batch in batches:
            for (path, cid), letter in zip(batch.items, batch.outcome, strict=True):
                is_there = current.get(path) == cid if job.is_undo else path in current
                if is_there != job.is_undo:
                    left[_WHY.get(Outcome(letter), "not_there" if job.is_undo else "still_there")] += 1
    return dict(left)


def in_words(left: Mapping[str, int]) -> str:
    """The comparison as a sentence; empty if nothing is left."""
    parts = [_WORDS[why].format(f"{count:,}") for why, count in sorted(left.items()) if count]
    return f"Of the plan, {'; '.join(parts)}." if parts else ""
