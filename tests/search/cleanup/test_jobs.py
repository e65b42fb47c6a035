"""Jobs as rows: one active for each account, moves under lock, history, and the copy in ClickHouse."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from atsite.core.copies import compare_copies, versions
from atsite.core.copies.errors import RowByRowOnly
from atsite.core.copies.outcome import COPY_LATE
from atsite.core.copies.tasks import copy_all_due
from atsite.core.jobs import copied_job, moves
from atsite.core.jobs.errors import IllegalMove, JobChanged, LeaseLost
from atsite.core.jobs.lease import JobLease, claim, claim_next
from atsite.core.pds import Session
from search.cleanup import jobs
from search.cleanup.access import sessions
from search.cleanup.models import CleanupAudit, CleanupBatch, RepoCleanupJob
from search.cleanup.states import GRAPH, State
from tests.away import clickhouse_away
from tests.builders import ALICE, BOB
from tests.search.cleanup.rows import CUT_OFF, job

pytestmark = [
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

COPY = """
SELECT job_id, did, state, types, requested_by, records_planned, records_deleted, deleted
FROM repo_cleanup_jobs FINAL
ORDER BY job_id
"""


@dataclass(frozen=True, slots=True)
class Copy:
    job_id: str
    did: str
    state: str
    types: list[str]
    requested_by: str
    planned: int
    deleted: int
    gone: int


def copies() -> list[Copy]:
    return door.query(COPY, into=Copy, name="tests.copies")


def stored(row: RepoCleanupJob) -> RepoCleanupJob:
    """The row as it is in the database."""
    found: RepoCleanupJob = RepoCleanupJob.objects.get(pk=row.pk)
    return found


def claimed(row: RepoCleanupJob, *, early: bool = False) -> JobLease[RepoCleanupJob]:
    """A worker's lease of the row."""
    lease = claim(stored(row), early=early)
    assert lease is not None
    return lease


def lose(row: RepoCleanupJob) -> None:
    """Let the lease of the row's worker have ended."""
    past = timezone.now() - timedelta(minutes=1)
    RepoCleanupJob._base_manager.filter(pk=row.pk).update(leased_until=past)


def test_a_job_and_each_of_its_moves_are_in_the_copy_at_once() -> None:
    row = job()
    expected = Copy(row.job_id, row.did, "planning", ["like"], "k1", 0, 0, 0)
    assert copies() == [expected]
    moves.move(row, State.PLANNED, records_planned=120)
    moves.move(row, State.WAITING, records_deleted=100)
    assert copies() == [Copy(row.job_id, row.did, "waiting", ["like"], "k1", 120, 100, 0)]


@pytest.mark.parametrize("state", sorted(GRAPH.active))
def test_an_account_has_one_active_job_at_most(state: State) -> None:
    job(state=state)
    with pytest.raises(IntegrityError), transaction.atomic():
        job()
    job("did:plc:noelnoelnoelnoelnoelnoel")
    assert RepoCleanupJob.objects.count() == 2


def test_ended_jobs_of_an_account_pile_up() -> None:
    for state in sorted(GRAPH.ended):
        job(state=state)
    job()
    assert RepoCleanupJob.objects.count() == 4


def test_a_form_says_that_there_is_an_active_job() -> None:
    job()
    with pytest.raises(ValidationError, match="has a clean-up that has not ended"):
        RepoCleanupJob(did="did:plc:miramiramiramiramiramira", types=["like"], cut_off=CUT_OFF).full_clean()


@pytest.mark.parametrize("types", [[], ["likes"], "like", None, [3]])
def test_a_job_names_the_types_that_it_cleans(types: object) -> None:
    with pytest.raises(ValidationError):
        RepoCleanupJob(did="did:plc:miramiramiramiramiramira", types=types, cut_off=CUT_OFF).full_clean()


def test_moves_write_dates_reasons_and_who() -> None:
    row = job()
    soon = timezone.now() + timedelta(minutes=3)
    planning = claimed(row)
    planning.move(State.PLANNED, records_planned=3)
    planned = planning.job
    assert (planned.planned_at is not None, planned.started_at, planned.finished_at) == (True, None, None)
    moves.move(planned, State.WAITING, by="mira", confirmed_at=timezone.now())
    running = claimed(row)
    running.release(reason="the PDS asks to wait", next_at=soon)
    waiting = stored(row)
    assert (waiting.reason, waiting.next_at) == ("the PDS asks to wait", soon)
    assert waiting.started_at is not None
    again = claimed(row, early=True).job
    assert (again.state, again.reason, again.next_at, again.started_at) == ("running", "", None, waiting.started_at)
    lose(row)
    cancelled = jobs.cancel(row.pk, by="admin").job
    assert (cancelled.state, cancelled.reason) == ("cancelled", "cancelled by admin")
    assert cancelled.finished_at is not None
    reasons = [entry.history_change_reason for entry in row.history.order_by("history_id")]
    assert reasons == [None, "planned", "waiting by mira", "running", "waiting", "running", "cancelled by admin"]


def test_what_ended_cannot_be_moved_and_stays_as_it_was() -> None:
    row = job(state=State.COMPLETED)
    before = RepoCleanupJob.objects.get()
    for to in State:
        with pytest.raises(IllegalMove):
            moves.move(stored(row), to)
    assert RepoCleanupJob.objects.get().time_us == before.time_us


def test_a_failed_job_is_tried_again_unless_the_account_has_another() -> None:
    row = job(state=State.FAILED, confirmed_at=timezone.now(), reason="the PDS was away")
    retried = jobs.retry(row.pk, by="admin").job
    assert (retried.state, retried.reason, retried.finished_at) == ("waiting", "", None)
    assert retried.next_at is not None
    moves.move(stored(row), State.FAILED)
    other = job()
    with pytest.raises(jobs.AnotherJob, match="has another clean-up"):
        jobs.retry(row.pk, by="admin")
    jobs.cancel(other.pk, by="admin")
    assert jobs.retry(row.pk, by="admin").job.is_active


def test_one_without_a_confirmed_plan_begins_with_one() -> None:
    assert jobs.retry(job(state=State.FAILED).pk, by="admin").job.current_state is State.PLANNING


def test_of_two_who_cancel_and_complete_at_once_one_is_told() -> None:
    row = job(state=State.RUNNING)
    barrier, outcomes = threading.Barrier(2), []

    def act(to: State) -> None:
        barrier.wait(timeout=30)
        try:
            if to == State.CANCELLED:
                jobs.cancel(row.pk, by="admin")
            else:
                moves.move(stored(row), to)
            outcomes.append(str(to))
        except (IllegalMove, JobChanged):
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


def test_progress_writes_no_version_no_history_and_takes_no_lock_that_others_wait_for() -> None:
    lease = claimed(job(state=State.RUNNING, records_planned=200))
    before = (versions.last_issued(), lease.job.history.count(), copies())
    with CaptureQueriesContext(connection) as asked:
        lease.keep_progress(records_deleted=100)
    assert [query["sql"].partition(" ")[0] for query in asked.captured_queries] == ["UPDATE"]
    assert (versions.last_issued(), lease.job.history.count(), copies()) == before
    assert stored(lease.job).records_deleted == 100


def test_progress_is_published_once_the_copy_is_a_minute_old_and_when_the_lease_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = claimed(job(state=State.RUNNING, records_planned=200))
    seen = []
    for deleted, every in ((10, 60), (20, 0), (30, 60)):
        monkeypatch.setattr(copied_job, "COPY_US", every * 1_000_000)
        lease.keep_progress(records_deleted=deleted)
        seen += [copy.deleted for copy in copies()]
    lease.move(State.COMPLETED)
    assert (seen, [(copy.state, copy.deleted) for copy in copies()]) == ([0, 20, 20], [("completed", 30)])
    assert [entry.records_deleted for entry in lease.job.history.order_by("history_id")] == [0, 30]


def test_progress_of_an_unfinished_transaction_is_published_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied_job, "COPY_US", 0)
    lease = claimed(job(state=State.RUNNING, records_planned=200))
    with transaction.atomic():
        CleanupBatch.objects.create(job=lease.job, number=1, records=10)
        lease.keep_progress(records_deleted=10)
        seen = [copy.deleted for copy in copies()]
    assert (seen, [copy.deleted for copy in copies()]) == ([0], [10])


def test_progress_goes_on_while_clickhouse_is_away_and_is_published_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copied_job, "COPY_US", 0)
    lease = claimed(job(state=State.RUNNING, records_planned=200))
    with clickhouse_away():
        lease.keep_progress(records_deleted=10)
    assert copies()[0].deleted == 0
    copy_all_due()
    assert copies()[0].deleted == 10


def test_the_comparison_of_copies_takes_progress_for_no_fault_but_only_while_a_worker_has_the_job() -> None:
    lease = claimed(job(state=State.RUNNING, records_planned=200))
    lease.keep_progress(records_deleted=100)
    assert compare_copies.repair(RepoCleanupJob) == []
    RepoCleanupJob._base_manager.update(requested_by="k2")
    (told,) = compare_copies.repair(RepoCleanupJob)
    assert "1 × was different in the copy" in told
    lease.release()
    assert compare_copies.repair(RepoCleanupJob) == []
    RepoCleanupJob._base_manager.update(records_deleted=7)
    (told,) = compare_copies.repair(RepoCleanupJob)
    assert "1 × was different in the copy" in told


def test_a_worker_that_lost_the_job_changes_neither_row_nor_copy_nor_history() -> None:
    row = job(state=State.RUNNING)
    lost = claimed(row)
    lose(row)
    claimed(row).keep_progress(records_deleted=5)
    before = (RepoCleanupJob.objects.values().get(), copies(), row.history.count())
    with pytest.raises(LeaseLost):
        lost.keep_progress(records_deleted=9)
    with pytest.raises(LeaseLost):
        lost.move(State.COMPLETED, records_deleted=9)
    assert (RepoCleanupJob.objects.values().get(), copies(), row.history.count()) == before


def test_a_person_s_change_keeps_the_progress_that_it_did_not_know_of() -> None:
    row = job(state=State.RUNNING)
    lease = claimed(row)
    lease.keep_progress(records_deleted=5)
    lose(row)
    moves.move(stored(row), State.FAILED, reason="stopped")
    assert (stored(row).records_deleted, copies()[0].deleted) == (5, 5)


def test_a_waiting_job_is_claimed_to_delete_what_is_planned_or_to_be_planned_and_is_so_in_the_copy() -> None:
    for did, confirmed_at in (
        ("did:plc:miramiramiramiramiramira", timezone.now()),
        ("did:plc:noelnoelnoelnoelnoelnoel", None),
    ):
        job(did, State.WAITING, planned_at=timezone.now(), confirmed_at=confirmed_at)
    leases = [claim_next(RepoCleanupJob) for _ in range(3)]
    assert [lease and lease.job.state for lease in leases] == ["running", "planning", None]
    assert [copy.state for copy in copies()] == ["running", "planning"]


def test_a_job_that_a_worker_has_is_cancelled_by_it_after_its_batch() -> None:
    row = job(state=State.RUNNING)
    lease = claimed(row)
    asked = jobs.cancel(row.pk, by="admin").job
    assert (asked.state, asked.status, jobs.can_cancel(asked)) == ("running", "running, to be cancelled", False)
    lease.keep_progress(records_deleted=3)
    assert lease.cancel_asked
    lease.release(next_at=timezone.now() + timedelta(hours=1))
    assert [(copy.state, copy.deleted) for copy in copies()] == [("cancelled", 3)]
    newest = row.history.first()
    assert (newest.history_change_reason, newest.reason) == ("cancelled by admin", "cancelled by admin")


def session_of(row: RepoCleanupJob) -> None:
    tokens = Session(did=Did(row.did), handle="a.test", access_token="a", refresh_token="r")
    sessions.store(tokens, "http://127.0.0.1:1", expires_at=timezone.now() + timedelta(hours=1), job=row)


def test_who_cancels_a_job_ends_its_session_too_but_not_while_a_worker_needs_it() -> None:
    idle, busy = job(ALICE, State.WAITING), job(BOB, State.RUNNING)
    session_of(idle)
    session_of(busy)
    lease = claimed(busy)
    for row in (idle, busy):
        jobs.cancel(row.pk, by="mira")
    assert (sessions.has_session(idle), sessions.has_session(busy)) == (False, True)
    lease.release()
    assert list(CleanupAudit.objects.order_by("pk").values_list("did", "action", "by")) == [
        (ALICE, "cancelled", "mira"),
        (BOB, "cancelled", "mira"),
    ]


def test_a_cancel_that_is_refused_keeps_the_session_and_leaves_no_audit_row() -> None:
    row = job(ALICE, State.COMPLETED)
    session_of(row)
    with pytest.raises(IllegalMove):
        jobs.cancel(row.pk, by="mira")
    assert sessions.has_session(row)
    assert not CleanupAudit.objects.exists()


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


@pytest.mark.parametrize(
    ("state", "may_be_cancelled", "may_be_retried"),
    [
        (State.PLANNING, True, False),
        (State.PLANNED, True, False),
        (State.RUNNING, True, False),
        (State.WAITING, True, False),
        (State.NEEDS_SIGN_IN, True, False),
        (State.COMPLETED, False, False),
        (State.CANCELLED, False, False),
        (State.FAILED, False, True),
    ],
)
def test_the_state_of_a_job_says_what_an_operator_may_do(
    state: State, may_be_cancelled: bool, may_be_retried: bool
) -> None:
    row = job(state=state)
    assert (jobs.can_cancel(row), jobs.can_retry(row)) == (may_be_cancelled, may_be_retried)


def test_a_clean_up_that_was_undone_is_not_tried_again() -> None:
    row = job(state=State.FAILED, confirmed_at=timezone.now())
    assert jobs.can_retry(row)
    job(state=State.COMPLETED, kind="undo", undoes=row)
    assert not jobs.can_retry(row)
    with pytest.raises(jobs.Undone, match="was undone"):
        jobs.retry(row.pk, by="admin")
    assert stored(row).state == "failed"
