"""Compares the open records of a job with its repo, and stores what changed, before anything is written."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from django.db import transaction

from atsite.core.repo import OLD_OR_GONE
from search.cleanup.engine import backups
from search.cleanup.engine.batch_items import at, gates_of
from search.cleanup.engine.batch_rows import keep_outcomes, open_batches, sent_batches
from search.cleanup.engine.problems import CannotGoOn, NotNow
from search.cleanup.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from atsite.core.jobs.lease import JobLease
    from atsite.core.repo import Repo
    from search.cleanup.engine.remote_repo import RemoteRepo
    from search.cleanup.models import CleanupBatch, RepoCleanupJob

    #: collection/rkey -> the CID of the record, None where it does not exist, or OLD_OR_GONE.
    Found = Callable[[str], object]


def prepare(lease: JobLease[RepoCleanupJob], remote: RemoteRepo) -> None:
    """Before the first write: read the whole repo, keep it as the backup, and drop what changed since the plan.

    Raises NotNow, CannotGoOn, LeaseLost.
    """
    job = lease.job
    with remote.downloaded() as (car, repo):
        lease.keep_progress(stage="comparing the repo with the plan")
        current = paths_of(repo)
        if not job.is_undo:
            lease.keep_progress(stage="keeping a backup")
            keep_backup(lease, car)
        _settle(lease, current.get, repo.rev, repo.cid)


def keep_backup(lease: JobLease[RepoCleanupJob], car: Path) -> None:
    """Encrypt the repo into the folder of backups. Raises NotNow, LeaseLost."""
    try:
        name = backups.make(car, lease.job)
    except OSError as error:
        raise NotNow(
            f"The backup cannot be written: {error.strerror}. The operator has to look at it.", 600.0
        ) from error
    lease.keep_progress(backup=name, backup_until=backups.until(lease.clock()))


def look_again(lease: JobLease[RepoCleanupJob], remote: RemoteRepo, *, was_refused: bool = False) -> None:
    """After a refused or unanswered write: read what changed since, and settle each open record by it.

    `was_refused`: the PDS answered with an error. As it writes all or nothing, this job then did what was done only if
    all of it was. Raises NotNow, CannotGoOn, LeaseLost.
    """
    job = lease.job
    if remote.latest_commit() == (job.commit, job.rev):
        for batches in sent_batches(job):  # of the others nothing changed
            _settle_batches(lease, batches, lambda _: OLD_OR_GONE, was_refused=was_refused)
        return
    # What is new since the last look is small, and enough unless it is not clear what became of a delete. If it is
    # incomplete, as when the repo changed while it was sent, the whole repo tells.
    with suppress(CannotGoOn):
        if not was_refused and _look(lease, remote, since=job.rev):
            return
    _look(lease, remote, since="", was_refused=was_refused)


def _look(lease: JobLease[RepoCleanupJob], remote: RemoteRepo, *, since: str, was_refused: bool = False) -> bool:
    """Settle by a download; False, and nothing is stored, if it does not tell what became of a delete."""
    job = lease.job
    with remote.downloaded(since=since) as (_, repo):
        found: Found = repo.find(_open_paths(job)).get if since else paths_of(repo).get
        if since and not job.is_undo and any(found(path) is OLD_OR_GONE for path in _sent_paths(job)):
            return False
        _settle(lease, found, repo.rev, repo.cid, was_refused=was_refused)
    return True


def _open_paths(job: RepoCleanupJob) -> Iterator[str]:
    return (path for batches in open_batches(job) for batch in batches for path, _ in batch.items)


def _sent_paths(job: RepoCleanupJob) -> Iterator[str]:
    for batches in sent_batches(job):
        for batch in batches:
            yield from (batch.items[index][0] for index in at(batch.outcome, Outcome.SENT))


def paths_of(repo: Repo) -> dict[str, str]:
    """The CID of every record by collection/rkey. Raises InvalidRepo."""
    return {f"{key.collection}/{key.rkey}": key.cid for key in repo.record_keys()}


def settled(batch: CleanupBatch, found: Found, *, is_undo: bool, was_refused: bool = False) -> dict[int, str]:
    """The new outcome of each open record whose outcome changes, by what the repo has.

    A delete that was sent and whose record is gone counts as done by this job, and so does a creation that is there;
    `was_refused` as for `look_again`.
    """
    after: dict[int, str] = {}
    for index in at(batch.outcome, Outcome.PLANNED, Outcome.SENT):
        path, cid = batch.items[index]
        now = found(path)
        if now is OLD_OR_GONE:
            # As it was before: the record of a delete is there, that of an undo is not.
            now = None if is_undo else cid
        is_reached = now == cid if is_undo else now is None
        after[index] = Outcome.NEEDLESS if is_reached else Outcome.PLANNED if now in (None, cid) else Outcome.CHANGED
    sent = at(batch.outcome, Outcome.SENT)
    reached = [index for index in sent if after[index] == Outcome.NEEDLESS]
    if not was_refused or reached == sent:
        after |= dict.fromkeys(reached, Outcome.DONE)
    changes = {index: letter for index, letter in after.items() if letter != batch.outcome[index]}
    if not is_undo:
        kept = [index for index, after in changes.items() if after == Outcome.CHANGED]
        for gate in gates_of(kept, batch.items):
            if changes.get(gate, batch.outcome[gate]) in (Outcome.PLANNED, Outcome.SENT):
                changes[gate] = Outcome.CHANGED
    return changes


def _settle(lease: JobLease[RepoCleanupJob], found: Found, rev: str, commit: str, *, was_refused: bool = False) -> None:
    """Store the outcomes of all open records together with the commit that they were compared with."""
    with transaction.atomic():
        for batches in open_batches(lease.job):
            _settle_batches(lease, batches, found, was_refused=was_refused)
        lease.keep_progress(rev=rev, commit=commit)


def _settle_batches(
    lease: JobLease[RepoCleanupJob], batches: Iterable[CleanupBatch], found: Found, *, was_refused: bool
) -> None:
    is_undo = lease.job.is_undo
    changes = [(batch, settled(batch, found, is_undo=is_undo, was_refused=was_refused)) for batch in batches]
    keep_outcomes(lease, [(batch, changed) for batch, changed in changes if changed])
