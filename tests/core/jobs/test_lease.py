"""Claims and leases: one worker at a time, and one that lost its lease can never write."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from atsite.core.jobs import moves
from atsite.core.jobs.errors import IllegalMove, JobChanged, LeaseLost
from atsite.core.jobs.lease import JobLease, claim, claim_next
from tests.core.jobs.rows import MINUTE, Errand, State, errand, lose, stored

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("errands")


def claimed(row: Errand) -> JobLease[Errand]:
    """The lease of a row that can be claimed, read again."""
    lease = claim(stored(row))
    assert lease is not None
    return lease


def pause_of(row: Errand) -> timedelta:
    """How long a row waits from now on, in whole minutes."""
    assert row.next_at is not None
    return timedelta(minutes=round((row.next_at - timezone.now()) / MINUTE))


def test_a_claim_leases_the_row_and_raises_its_fence() -> None:
    row = errand(reason="rained")
    before = timezone.now()
    lease = claimed(row)
    found = stored(row)
    assert (found.state, found.fence, found.tries, found.next_at, found.reason) == (State.GOING, 1, 1, None, "")
    assert found.began_at is not None
    assert found.leased_until is not None
    assert found.leased_until >= before + Errand.lease_time
    assert lease.job.fence == 1


def test_of_many_who_claim_a_row_at_once_one_has_it() -> None:
    row = errand()
    start, leases = threading.Barrier(8), []

    def take() -> None:
        mine = stored(row)
        start.wait(60)
        leases.append(claim(mine))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(leases) == 8
    assert len([lease for lease in leases if lease]) == 1
    assert stored(row).fence == 1


def test_what_is_not_due_is_claimed_early_only_and_what_is_leased_by_nobody_else() -> None:
    row = errand(next_at=timezone.now() + MINUTE)
    assert claim(stored(row)) is None
    assert claim_next(Errand) is None
    assert claim(stored(row), early=True) is not None
    assert claim(stored(row), early=True) is None
    assert claim(stored(errand(next_at=None))) is None
    assert [claim(errand(state=state)) for state in (State.DONE, State.FAILED)] == [None, None]


@pytest.mark.parametrize("early", [False, True])
def test_a_lease_ends_and_a_pause_is_over_at_its_moment_and_not_before(early: bool) -> None:
    now = timezone.now()
    before, at = (lambda: now - timedelta(microseconds=1)), (lambda: now)
    left = errand(next_at=None, leased_until=now, state=State.GOING, fence=7)
    assert claim(stored(left), early=early, clock=before) is None
    assert claim(stored(left), early=early, clock=at) is not None
    waits = errand(next_at=now)
    assert (claim(stored(waits), early=early, clock=before) is None) is not early
    assert (claim(stored(waits), early=early, clock=at) is None) is early  # was claimed a moment before


def test_a_row_that_changed_since_it_was_read_is_not_claimed() -> None:
    row = errand()
    read = stored(row)
    claimed(row).release()
    assert claim(read) is None


def test_they_are_claimed_in_the_order_in_which_they_became_due() -> None:
    now = timezone.now()
    second, third = errand(next_at=now - 2 * MINUTE), errand(next_at=now - MINUTE)
    first = errand(next_at=None, leased_until=now - 3 * MINUTE, state=State.GOING, fence=7)
    found = [claim_next(Errand) for _ in range(4)]
    assert [lease and lease.job.pk for lease in found] == [first.pk, second.pk, third.pk, None]
    assert stored(first).fence == 8


WRITES: dict[str, Callable[[JobLease[Errand]], None]] = {
    "keep_progress": lambda lease: lease.keep_progress(places=9),
    "move": lambda lease: lease.move(State.DONE, places=9),
    "move to where it goes on": lambda lease: lease.move(State.RESTING, places=9),
    "release": lambda lease: lease.release(places=9),
    "later": lambda lease: lease.later("rained"),
}


def another_worker(row: Errand) -> None:
    lose(row)
    claimed(row)


def another_worker_that_is_done(row: Errand) -> None:
    lose(row)
    claimed(row).move(State.DONE)


def a_person(row: Errand) -> None:
    moves.move(stored(row), State.DONE)


def a_new_beginning(row: Errand) -> None:
    moves.begin_again(Errand.objects.filter(pk=row.pk), moves.beginning(Errand, timezone.now()))


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("take", [another_worker, another_worker_that_is_done, a_person, a_new_beginning])
def test_a_lost_lease_writes_nothing(write: str, take: Callable[[Errand], None]) -> None:
    row = errand()
    lease = claimed(row)
    take(row)
    before = Errand.objects.values().get()
    with pytest.raises(LeaseLost):
        WRITES[write](lease)
    assert Errand.objects.values().get() == before


@pytest.mark.parametrize("write", [name for name in WRITES if name != "move"])  # an ended job refuses moves anyway
def test_a_lease_that_was_ended_writes_nothing_more(write: str) -> None:
    lease = claimed(errand())
    lease.release()
    lease.job.state = State.GOING
    before = Errand.objects.values().get()
    with pytest.raises(LeaseLost):
        WRITES[write](lease)
    assert Errand.objects.values().get() == before


def test_progress_is_one_update_prolongs_the_lease_and_forgets_earlier_failures() -> None:
    row = errand(tries=1)
    lease = claimed(row)
    assert stored(row).tries == 2
    soon = timezone.now() + MINUTE
    Errand.objects.update(leased_until=soon)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        lease.keep_progress(places=3)
    assert len(asked) == 1
    found = stored(row)
    assert (found.places, found.tries, found.state, found.fence) == (3, 1, State.GOING, 1)
    assert found.leased_until is not None
    assert found.leased_until > soon
    with pytest.raises(TypeError, match="state of Errand is not progress"):
        lease.keep_progress(state=State.DONE)


def test_what_is_written_with_the_progress_is_rolled_back_when_the_lease_was_lost() -> None:
    row, other = errand(), errand(next_at=None)
    lease = claimed(row)
    another_worker(row)

    def write_both() -> None:
        with transaction.atomic():
            Errand.objects.filter(pk=other.pk).update(places=5)
            lease.keep_progress(places=9)

    with pytest.raises(LeaseLost):
        write_both()
    assert stored(other).places == 0


def test_a_move_ends_the_lease_and_notes_when() -> None:
    row = errand()
    claimed(row).move(State.DONE, places=4)
    found = stored(row)
    assert (found.state, found.places, found.leased_until, found.next_at, found.fence) == (State.DONE, 4, None, None, 2)
    assert found.finished_at is not None
    with pytest.raises(IllegalMove, match="a job that is going cannot become asked"):
        claimed(errand()).move(State.ASKED)


def test_failures_wait_longer_each_time_and_then_the_job_is_given_up() -> None:
    row = errand()
    pauses = []
    for _ in range(2):
        claimed(row).later("rained")
        pauses.append(pause_of(stored(row)))
        Errand.objects.update(next_at=timezone.now() - MINUTE)
    assert pauses == [MINUTE, 2 * MINUTE]
    claimed(row).later("rained")
    found = stored(row)
    assert (found.state, found.reason, found.next_at) == (State.FAILED, "given up after 3 tries: rained", None)
    assert found.finished_at is not None


def test_the_pause_is_as_long_as_it_is_asked_to_be_at_least_and_a_short_one_is_taken_as_it_is() -> None:
    for pause, expected in ((timedelta(hours=1), timedelta(hours=1)), (timedelta(0), timedelta(0))):
        row = errand(tries=1)
        claimed(row).later("slow down", pause)
        found = stored(row)
        assert (found.state, found.reason, pause_of(found)) == (State.RESTING, "slow down", expected)


def test_a_pause_has_a_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Errand, "max_tries", 99)
    row = errand(tries=40)
    claimed(row).later("rained")
    assert pause_of(stored(row)) == Errand.pause_max


def test_a_job_that_no_worker_survives_is_given_up() -> None:
    row = errand()
    for _ in range(3):
        claimed(row)
        lose(row)
    assert claim_next(Errand) is None
    found = stored(row)
    assert (found.state, found.reason) == (State.FAILED, "given up after 3 tries: its worker died on each try")


def test_a_released_job_waits_without_having_failed() -> None:
    row = errand(tries=2)
    soon = timezone.now() + MINUTE
    claimed(row).release(reason="at lunch", next_at=soon)
    found = stored(row)
    assert (found.state, found.reason, found.next_at, found.tries) == (State.RESTING, "at lunch", soon, 0)


def test_what_the_work_leaves_open_is_ended_for_it() -> None:
    row = errand()
    with claimed(row) as lease:
        lease.keep_progress(places=1)
    assert claim(stored(row)) is not None
    lose(row)
    with pytest.raises(ZeroDivisionError), claimed(row):
        raise ZeroDivisionError
    found = stored(row)
    assert (found.state, found.reason) == (State.RESTING, "an internal error of this site: ZeroDivisionError")
    assert pause_of(found) == 2 * MINUTE
    with claimed(errand()) as lease:
        lease.move(State.DONE)
    assert lease.job.state == State.DONE


def test_cancelling_a_job_that_nobody_works_on_ends_it() -> None:
    row = errand()
    moves.cancel(row, by="anna")
    found = stored(row)
    assert (found.state, found.reason, found.next_at) == (State.DROPPED, "cancelled by anna", None)
    row = errand()
    claimed(row)
    lose(row)
    moves.cancel(stored(row), by="anna")
    assert stored(row).state == State.DROPPED
    with pytest.raises(IllegalMove, match="a job that is dropped cannot become dropped"):
        moves.cancel(stored(row), by="anna")


ENDS: dict[str, Callable[[JobLease[Errand]], None]] = {
    "release": lambda lease: lease.release(places=2),
    "later": lambda lease: lease.later("rained"),
    "move": lambda lease: lease.move(State.RESTING, places=2),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_worker_is_asked_to_cancel_and_keeps_what_it_did(end: str) -> None:
    row = errand()
    lease = claimed(row)
    asked = []
    for places in (1, 2):
        lease.keep_progress(places=places)
        asked.append(lease.cancel_asked)
        moves.cancel(stored(row), by="anna")
    assert (asked, stored(row).state) == ([False, True], State.GOING)
    ENDS[end](lease)
    found = stored(row)
    assert (found.state, found.reason, found.places) == (State.DROPPED, "cancelled by anna", 2)
    assert (found.next_at, found.leased_until) == (None, None)
    assert found.finished_at is not None


def test_what_was_done_before_it_could_be_cancelled_is_done() -> None:
    row = errand()
    lease = claimed(row)
    moves.cancel(stored(row), by="anna")
    lease.move(State.DONE)
    assert stored(row).state == State.DONE


def test_the_next_worker_of_a_job_that_was_to_be_cancelled_knows_it() -> None:
    row = errand()
    claimed(row)
    moves.cancel(stored(row), by="anna")
    lose(row)
    with claimed(row) as lease:
        assert lease.cancel_asked
    assert stored(row).state == State.DROPPED


def test_a_person_who_read_an_older_row_changes_nothing() -> None:
    row = errand()
    read = stored(row)
    claimed(row).release()
    with pytest.raises(JobChanged):
        moves.move(read, State.GOING)
    with pytest.raises(JobChanged):
        moves.cancel(read, by="anna")
    assert stored(row).state == State.RESTING


def test_a_failed_job_that_is_tried_again_has_all_its_tries() -> None:
    row = errand(state=State.FAILED, tries=3, next_at=None, reason="rained", cancel_asked_by="anna")
    moves.move(row, State.RESTING)
    found = stored(row)
    assert (found.tries, found.reason, found.cancel_asked_by, found.finished_at) == (0, "", "", None)
    assert claim_next(Errand) is not None
