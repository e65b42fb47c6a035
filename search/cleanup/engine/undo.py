"""Undo: creates the records again that a clean-up deleted, from its backup, under their keys."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from django.db import transaction

from atsite.core.atproto.syntax import Did
from atsite.core.pds import Create
from atsite.core.repo import InvalidRepo, open_repo
from search.cleanup.engine import backups
from search.cleanup.engine.batch_items import at, cut
from search.cleanup.engine.batch_rows import all_batches
from search.cleanup.engine.planning_step import add_batches
from search.cleanup.engine.problems import CannotGoOn
from search.cleanup.models import Outcome
from search.cleanup.models.batch import BATCH_MAX
from search.cleanup.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from atsite.core.jobs.lease import JobLease
    from atsite.core.pds import Write
    from atsite.core.repo import Repo
    from search.cleanup.models import CleanupBatch, RepoCleanupJob

#: Bytes of the records in one call; a PDS accepts bodies of 1 MB.
BODY_MAX: Final = 900_000


def plan_undo(lease: JobLease[RepoCleanupJob]) -> None:
    """Plan to create what the other job deleted, and end the lease; the job is due. Raises CannotGoOn, LeaseLost."""
    job, now = lease.job, lease.clock()
    if job.undoes is None or not job.undoes.backup:
        raise CannotGoOn("The clean-up to undo has no backup any more.")
    with transaction.atomic():
        records = add_batches(job, cut(_deleted(job.undoes), BATCH_MAX))
        lease.move(State.WAITING, records_planned=records, planned_at=now, confirmed_at=now, stage="")


@contextmanager
def source_of(job: RepoCleanupJob) -> Iterator[Repo]:
    """The repo as it was before the deletes. Raises NoBackup, CannotGoOn, OSError.

    Its signature was checked before it was encrypted; the account's key may have changed since.
    """
    if job.undoes is None:
        raise CannotGoOn("There is nothing to undo.")
    try:
        with backups.opened(job.undoes) as car, open_repo(car, Did(job.did), None) as repo:
            yield repo
    except InvalidRepo as error:
        raise CannotGoOn(f"The backup is not valid: {error}.") from error


def creations(source: Repo, batch: CleanupBatch, indexes: Sequence[int]) -> tuple[list[int], list[Write]]:
    """The writes that create the first of these records, as many as fit into one call, and their positions.

    Raises InvalidRepo.
    """
    fitting: list[int] = []
    writes: list[Write] = []
    size = 0
    for index in indexes:
        path = batch.items[index][0]
        value = source.value(path)
        size += len(json.dumps(value))
        if writes and size > BODY_MAX:
            break
        collection, _, rkey = path.partition("/")
        fitting.append(index)
        writes.append(Create(collection, rkey, value))
    return fitting, writes


def _deleted(job: RepoCleanupJob) -> Iterator[list[tuple[str, str]]]:
    """Each record that the job deleted."""
    for batches in all_batches(job):
        for batch in reversed(batches):
            for index in at(batch.outcome, Outcome.DONE):
                path, cid = batch.items[index]
                yield [(path, cid)]
