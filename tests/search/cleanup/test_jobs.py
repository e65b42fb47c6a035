"""Jobs as rows: one active for each account, moves under lock, history, and the copy in ClickHouse."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from atsite.core.clickhouse import door
from atsite.core.published.errors import RowByRowOnly
from atsite.core.published.outcome import COPY_LATE
from search.cleanup import jobs
from search.cleanup.states import ACTIVE, ENDED, IllegalMove, State
from search.models import CleanupBatch, RepoCleanupJob
from tests.away import clickhouse_away
from tests.search.cleanup.rows import CUT_OFF, LIKE, job

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

COPY = """
SELECT job_id, did, state, collections, requested_by, records_planned, records_deleted, deleted
FROM repo_cleanup_jobs FINAL
ORDER BY job_id
"""


@dataclass(frozen=True, slots=True)
class Copy:
    job_id: str
    did: str
    state: str
    collections: list[str]
    requested_by: str
    planned: int
    deleted: int
    gone: int


def copies() -> list[Copy]:
    return door.query(COPY, into=Copy, name="tests.copies")


def test_a_job_and_each_of_its_moves_are_in_the_copy_at_once() -> None:
    row = job()
    expected = Copy(row.job_id, row.did, "planning", [LIKE], "k1", 0, 0, 0)
    assert copies() == [expected]
    jobs.move(row.pk, State.PLANNED, records_planned=120)
    jobs.move(row.pk, State.RUNNING)
    jobs.move(row.pk, State.WAITING, records_deleted=100)
    assert copies() == [Copy(row.job_id, row.did, "waiting", [LIKE], "k1", 120, 100, 0)]


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_an_account_has_one_active_job_at_most(state: State) -> None:
    job(state=state)
    with pytest.raises(IntegrityError), transaction.atomic():
        job()
    job("did:plc:noel")
    assert RepoCleanupJob.objects.count() == 2


def test_ended_jobs_of_an_account_pile_up() -> None:
    for state in sorted(ENDED):
        job(state=state)
    job()
    assert RepoCleanupJob.objects.count() == 4


def test_a_form_says_that_there_is_an_active_job() -> None:
    job()
    with pytest.raises(ValidationError, match="has a clean-up that has not ended"):
        RepoCleanupJob(did="did:plc:mira", collections=[LIKE], cut_off=CUT_OFF).full_clean()


@pytest.mark.parametrize("collections", [[], ["likes"], "app.bsky.feed.like", None, [3]])
def test_a_job_names_the_collections_that_it_cleans(collections: object) -> None:
    with pytest.raises(ValidationError):
        RepoCleanupJob(did="did:plc:mira", collections=collections, cut_off=CUT_OFF).full_clean()


def test_moves_write_dates_reasons_and_who() -> None:
    row = job()
    soon = timezone.now() + timedelta(minutes=3)
    planned = jobs.move(row.pk, State.PLANNED, records_planned=3).job
    assert (planned.planned_at is not None, planned.started_at, planned.finished_at) == (True, None, None)
    running = jobs.move(row.pk, State.RUNNING, by="mira").job
    waiting = jobs.move(row.pk, State.WAITING, reason="the PDS asks to wait", next_at=soon).job
    assert (waiting.reason, waiting.next_at, waiting.started_at) == ("the PDS asks to wait", soon, running.started_at)
    again = jobs.move(row.pk, State.RUNNING).job
    assert (again.reason, again.next_at, again.started_at) == ("", None, running.started_at)
    cancelled = jobs.cancel(row.pk, by="admin").job
    assert (cancelled.state, cancelled.reason) == ("cancelled", "cancelled by admin")
    assert cancelled.finished_at is not None
    reasons = [entry.history_change_reason for entry in row.history.order_by("history_id")]
    assert reasons == [None, "planned", "running by mira", "waiting", "running", "cancelled by admin"]


def test_what_ended_cannot_be_moved_and_stays_as_it_was() -> None:
    row = job(state=State.COMPLETED)
    before = RepoCleanupJob.objects.get()
    for to in State:
        with pytest.raises(IllegalMove):
            jobs.move(row.pk, to)
    assert RepoCleanupJob.objects.get().time_us == before.time_us


def test_a_failed_job_is_tried_again_unless_the_account_has_another() -> None:
    row = job(state=State.FAILED, planned_at=timezone.now(), reason="the PDS was away")
    retried = jobs.retry(row.pk, by="admin").job
    assert (retried.state, retried.reason, retried.finished_at) == ("waiting", "", None)
    assert retried.next_at is not None
    jobs.move(row.pk, State.FAILED)
    other = job()
    with pytest.raises(jobs.AnotherJob, match="has another clean-up"):
        jobs.retry(row.pk, by="admin")
    jobs.cancel(other.pk, by="admin")
    assert jobs.retry(row.pk, by="admin").job.is_active


def test_one_without_a_plan_begins_with_one() -> None:
    assert jobs.retry(job(state=State.FAILED).pk, by="admin").job.place is State.PLANNING


def test_of_two_who_cancel_and_complete_at_once_one_is_told() -> None:
    row = job(state=State.RUNNING)
    barrier, outcomes = threading.Barrier(2), []

    def act(to: State) -> None:
        barrier.wait(timeout=30)
        try:
            jobs.move(row.pk, to)
            outcomes.append(str(to))
        except IllegalMove:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=(to,)) for to in (State.CANCELLED, State.COMPLETED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (won,) = set(outcomes) - {"refused"}
    assert sorted(outcomes) == sorted([won, "refused"])
    assert (RepoCleanupJob.objects.get().state, [copy.state for copy in copies()]) == (won, [won])


def test_a_move_that_clickhouse_did_not_hear_of_says_so() -> None:
    row = job()
    with clickhouse_away():
        assert jobs.cancel(row.pk, by="admin").late == (COPY_LATE,)


def test_jobs_and_their_batches_are_never_deleted() -> None:
    row = job()
    CleanupBatch.objects.create(job=row, number=1, records=10)
    with pytest.raises(TypeError):
        row.delete()
    with pytest.raises(TypeError):
        RepoCleanupJob.objects.all().delete()
    with pytest.raises(RowByRowOnly):
        RepoCleanupJob.objects.bulk_update([row], ["state"])
    with pytest.raises(IntegrityError), transaction.atomic():
        CleanupBatch.objects.create(job=row, number=1, records=10)


@pytest.mark.parametrize(
    ("planned", "deleted", "gone", "state", "remaining", "percent"),
    [
        (0, 0, 0, State.PLANNING, 0, 0),
        (0, 0, 0, State.COMPLETED, 0, 100),
        (200, 50, 10, State.RUNNING, 140, 30),
        (3, 2, 1, State.COMPLETED, 0, 100),
        (2, 3, 0, State.RUNNING, 0, 100),
    ],
)
def test_progress_is_what_is_done_of_the_plan(
    planned: int, deleted: int, gone: int, state: State, remaining: int, percent: int
) -> None:
    row = RepoCleanupJob(state=state, records_planned=planned, records_deleted=deleted, records_gone=gone)
    assert (row.remaining, row.percent) == (remaining, percent)
