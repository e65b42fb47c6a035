"""The first step of a clean-up: read the repo, make the plan, store its batches. Nothing is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from atsite.core.atproto.timestamps import datetime_of_micros
from atsite.core.clock import us_of
from atsite.core.config import config
from search.cleanup.access import sessions
from search.cleanup.engine.batch_items import cut, units_of
from search.cleanup.engine.post_counts import counts_of
from search.cleanup.engine.problems import CannotGoOn
from search.cleanup.models import CleanupBatch, Outcome
from search.cleanup.models.batch import BATCH_MAX
from search.cleanup.planning.plan import COLLECTIONS, Plan, hours_needed, make_plan
from search.cleanup.planning.protections import RepoRecord
from search.cleanup.planning.rules import InvalidRules, Rules
from search.cleanup.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from atsite.core.jobs.lease import JobLease
    from atsite.core.repo import Repo
    from search.cleanup.engine.remote_repo import RemoteRepo
    from search.cleanup.models import RepoCleanupJob

#: Batches that are written to the database at once.
_ROWS_AT_ONCE: Final = 500


class Records:
    """The records of a repo that a plan needs, read from the file each time they are iterated."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo

    def __iter__(self) -> Iterator[RepoRecord]:
        for collection, rkey, cid, value in self._repo.records():
            if collection in COLLECTIONS:
                yield RepoRecord(collection, rkey, cid, value)


def plan_job(lease: JobLease[RepoCleanupJob], remote: RemoteRepo) -> None:
    """Plan the job and end its lease in the state PLANNED. Raises NotNow, CannotGoOn, LeaseLost."""
    job = lease.job
    try:
        rules = Rules.from_json(job.rules)
    except InvalidRules as error:
        raise CannotGoOn(f"The rules of this clean-up cannot be read: {error}.") from error
    with remote.downloaded() as (_, repo):
        lease.keep_progress(stage="reading the repo")
        now_us = us_of(lease.clock())
        plan = read_plan(repo, remote, rules, now_us, lambda done, of: lease.keep_progress(stage=asking(done, of)))
    store(lease, plan, rules.cut_off(now_us))
    if not job.permitted:
        sessions.forget_of_job(job)


def read_plan(repo: Repo, remote: RemoteRepo, rules: Rules, now_us: int, report: Callable[[int, int], None]) -> Plan:
    """The plan for a downloaded repo. Raises NotNow, InvalidRepo, and what `report` raises."""
    records = Records(repo)
    plan = make_plan(repo.did, records, rules, {}, now_us)
    uris = plan.uncounted
    if not uris:
        return plan
    counts = counts_of(uris, remote.get_json, lambda n: report(n, len(uris)))
    return make_plan(repo.did, records, rules, counts, now_us)


def store(lease: JobLease[RepoCleanupJob], plan: Plan, cut_off: datetime) -> None:
    """Store the batches and end the lease, in one transaction. Raises LeaseLost."""
    job = lease.job
    size = min(BATCH_MAX, config.cleanup.per_hour, config.cleanup.per_day)
    with transaction.atomic():
        add_batches(job, cut(units_of(plan), size))
        reason = "" if plan.deletes else "There is nothing to delete."
        lease.move(
            State.PLANNED,
            reason=reason,
            plan=summary(plan),
            plan_digest=plan.digest,
            records_planned=plan.deletes,
            cut_off=cut_off,
            stage="",
        )


def add_batches(job: RepoCleanupJob, batches: Iterable[list[Any]]) -> int:
    """Replace the batches of a job that has not written yet; returns the number of their records."""
    job.batches.all().delete()
    rows: list[CleanupBatch] = []
    records = 0
    for number, items in enumerate(batches, 1):
        outcome = Outcome.PLANNED * len(items)
        rows.append(CleanupBatch(job=job, number=number, items=items, outcome=outcome, records=len(items)))
        records += len(items)
        if len(rows) == _ROWS_AT_ONCE:
            CleanupBatch.objects.bulk_create(rows)
            rows = []
    CleanupBatch.objects.bulk_create(rows)
    return records


def summary(plan: Plan) -> dict[str, Any]:
    """What the API and the pages show of a plan, as JSON."""
    return {
        "deletes": plan.deletes,
        "gates": len(plan.gates),
        "records": plan.records,
        "going_by_type": {str(kind): count for kind, count in sorted(plan.going_by_type.items())},
        "kept_by_reason": {str(reason): count for reason, count in sorted(plan.kept_by_reason.items())},
        "going_examples": {
            str(kind): [record.uri for record in records] for kind, records in plan.going_examples.items()
        },
        "kept_examples": {str(reason): list(uris) for reason, uris in plan.kept_examples.items()},
        "oldest": None if plan.oldest_us is None else datetime_of_micros(plan.oldest_us),
        "newest": None if plan.newest_us is None else datetime_of_micros(plan.newest_us),
        "uncounted": len(plan.uncounted),
        "hours": hours_needed(plan, config.cleanup.per_hour, config.cleanup.per_day),
    }


def asking(done: int, of: int) -> str:
    """The stage of asking for counts."""
    return f"asking for numbers of likes and replies: {done:,} of {of:,} posts"
