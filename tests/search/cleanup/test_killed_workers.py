"""A worker that is killed, at each step and anywhere: the next one goes on, and the repo lacks exactly the plan."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from search.cleanup import owner_actions
from search.cleanup.engine import upkeep
from search.cleanup.models import Outcome, PdsSession
from search.cleanup.planning.record_types import LIKE, POST, REPOST
from search.cleanup.states import State
from tests.core.copies import processes
from tests.search.cleanup import killed_worker, pds_server, ruled_server, working
from tests.search.cleanup.working import Clock, asked, confirmed, ended, given_up, outcomes, planned, signed_in

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from search.cleanup.models import RepoCleanupJob
    from tests.search.cleanup.pds_server import Account, PdsServer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

#: More than two batches.
RECORDS = 430
KILLED = -signal.SIGKILL
_WORKER = "from tests.search.cleanup import killed_worker; killed_worker.main()"
BEFORE = ["batches added", "plan stored"]
#: Steps of an undo, and of planning; all others are those of a clean-up.
UNDOING = ["undo planned", "intent stored", "answered", "outcome stored", "compared at the end", "ended"]
WRITING = sorted(killed_worker.STEPS.keys() - {*BEFORE, "undo planned"})
AGAIN = ["intent stored", "answered", "outcome stored"]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cleanup"


@pytest.fixture
def server(clock: Clock, folder: Path) -> Iterator[PdsServer]:
    with pds_server.serving(clock.seconds) as server, working.working(folder, server.url):
        yield server


@pytest.fixture
def alice(server: PdsServer) -> Account:
    """An account with posts, likes and reposts, and records that no clean-up touches."""
    account = server.account("alice")
    account.repo.write(dict(record(number) for number in range(RECORDS)))
    account.repo.write({f"app.bsky.graph.follow/{number:04}": {"n": number} for number in range(50)})
    return account


def record(number: int) -> tuple[str, dict[str, Any]]:
    collection = (POST, LIKE, REPOST)[number % 3]
    value: dict[str, Any] = {"$type": collection, "createdAt": f"2024-01-01T00:{number // 60:02}:{number % 60:02}Z"}
    if collection == POST:
        value["text"] = f"number {number}"
    else:
        uri = f"at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/{POST}/{number}"
        value["subject"] = {"uri": uri, "cid": "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"}
    return f"{collection}/{number:04}", value


def worker(row: RepoCleanupJob, server: PdsServer, folder: Path, kill_at: str = "line:0") -> subprocess.Popen[str]:
    """A process that takes a step of the job."""
    environment = {
        "CLEANUP_JOB": str(row.pk),
        "CLEANUP_FOLDER": str(folder),
        "KILL_AT": kill_at,
        "PLC_URL": server.url,
        "HANDLE_RESOLVER_URL": server.url,
        "APPVIEW_URL": "none",
        "ALLOW_LOOPBACK": "1",
    }
    return processes.start(_WORKER, **environment)


def killed(row: RepoCleanupJob, server: PdsServer, folder: Path, kill_at: str) -> int:
    """Let a worker die, and its lease end; its exit code."""
    process = worker(row, server, folder, kill_at)
    process.communicate(timeout=120)
    given_up(row)
    return process.returncode


def written(server: PdsServer, kind: str) -> Counter[str]:
    """How often each record was deleted, or created, by a call that succeeded."""
    return Counter(
        f"{write['collection']}/{write['rkey']}"
        for call in server.asked("applyWrites")
        if call.done == 200
        for write in call.body["writes"]
        if write["$type"].endswith(f"#{kind}")
    )


def confirmed_job(server: PdsServer, alice: Account, clock: Clock) -> RepoCleanupJob:
    return confirmed(signed_in(server.url, alice.did, alice.app_password), clock)


def check_deleted(row: RepoCleanupJob, server: PdsServer, alice: Account, before: dict[str, str]) -> None:
    """The job is done: the repo lacks exactly the plan, and each of its records was deleted once."""
    plan = planned(row)
    assert (row.state, row.reason, row.report["left"]) == (State.COMPLETED, "", {})
    assert len(plan) == RECORDS
    assert alice.repo.keys == {path: cid for path, cid in before.items() if path not in plan}
    assert written(server, "delete") == Counter(plan.keys())
    assert set(outcomes(row).values()) == {Outcome.DONE}
    assert (row.records_deleted, row.records_gone, row.records_kept) == (RECORDS, 0, 0)
    upkeep.run(timezone.now())  # signs out what a worker left that died at the very end
    assert (server.sessions, PdsSession.objects.count()) == (0, 0)


@pytest.mark.parametrize("kill_at", BEFORE)
def test_a_plan_whose_worker_dies_is_made_by_the_next(
    kill_at: str, server: PdsServer, alice: Account, clock: Clock, folder: Path
) -> None:
    row = asked(signed_in(server.url, alice.did, alice.app_password))
    assert killed(row, server, folder, f"{kill_at}:1") == KILLED
    row = ended(row, clock)
    assert (row.state, len(planned(row))) == (State.PLANNED, RECORDS)
    assert server.asked("applyWrites") == []


@pytest.mark.parametrize("kill_at", [*(f"{name}:1" for name in WRITING), *(f"{name}:2" for name in AGAIN)])
def test_deleting_goes_on_after_a_worker_died(
    kill_at: str, server: PdsServer, alice: Account, clock: Clock, folder: Path
) -> None:
    before = alice.repo.keys
    row = confirmed_job(server, alice, clock)
    assert killed(row, server, folder, kill_at) == KILLED
    check_deleted(ended(row, clock), server, alice, before)


@pytest.mark.parametrize("is_written", [True, False])
@pytest.mark.parametrize("number", [1, 2])
def test_deleting_goes_on_after_a_worker_died_while_the_pds_answered(
    number: int, is_written: bool, server: PdsServer, alice: Account, clock: Clock, folder: Path
) -> None:
    before = alice.repo.keys
    row = confirmed_job(server, alice, clock)
    process = worker(row, server, folder)

    def kill(call: ruled_server.Call, go_on: Any) -> ruled_server.Answer | None:
        if len(server.asked("applyWrites")) < number:
            return None
        if is_written:
            go_on()
        process.kill()
        process.wait()
        return ruled_server.cut()

    server.rule("applyWrites", kill)
    process.communicate(timeout=120)
    assert process.returncode == KILLED
    given_up(row)
    check_deleted(ended(row, clock), server, alice, before)


@pytest.mark.parametrize("kill_at", [f"{name}:1" for name in UNDOING])
def test_an_undo_goes_on_after_a_worker_died(
    kill_at: str, server: PdsServer, alice: Account, clock: Clock, folder: Path
) -> None:
    before = alice.repo.keys
    done = ended(confirmed_job(server, alice, clock), clock)
    assert done.state == State.COMPLETED
    session = signed_in(server.url, alice.did, alice.app_password)
    row, _ = owner_actions.undo(done, session, requested_by="test")
    if kill_at != "undo planned:1":
        working.step(row, clock)
    assert killed(row, server, folder, kill_at) == KILLED
    row = ended(row, clock)
    assert (row.state, row.reason) == (State.COMPLETED, "")
    assert alice.repo.keys == before
    assert written(server, "create") == Counter(planned(row).keys())
    assert set(outcomes(row).values()) == {Outcome.DONE}


def test_deleting_goes_on_after_a_worker_died_anywhere(
    server: PdsServer, alice: Account, clock: Clock, folder: Path
) -> None:
    """At ten lines of the engine, each of another job. CLEANUP_SEED repeats a run."""
    seed = int(os.environ.get("CLEANUP_SEED") or random.randrange(10**9))
    print(f"CLEANUP_SEED={seed}")  # noqa: T201
    before = alice.repo.keys
    row = confirmed_job(server, alice, clock)
    output, _ = worker(row, server, folder).communicate(timeout=120)
    row.refresh_from_db()
    check_deleted(row, server, alice, before)
    lines = int(output.splitlines()[-1])
    assert lines > 200
    died = 0
    for kill_at in sorted(random.Random(seed).sample(range(1, lines), 10)):
        alice.repo.write(dict(record(number) for number in range(RECORDS)))
        server.calls.clear()
        clock.move(days=2)
        row = confirmed_job(server, alice, clock)
        died += killed(row, server, folder, f"line:{kill_at}") == KILLED
        try:
            check_deleted(ended(row, clock), server, alice, before)
        except AssertionError as error:
            raise AssertionError(f"killed at line {kill_at} of {lines}, CLEANUP_SEED={seed}") from error
    assert died >= 8  # a run in which less arrives at once has fewer lines


def test_a_second_worker_leaves_the_job_of_the_first_alone(
    server: PdsServer, alice: Account, clock: Clock, folder: Path
) -> None:
    before = alice.repo.keys
    row = confirmed_job(server, alice, clock)
    seconds: list[tuple[int, int]] = []

    def run_second(call: ruled_server.Call) -> None:
        """While the first waits for an answer: the second finds nothing to do, and sends nothing."""
        asked_before = len(server.calls)
        second = worker(row, server, folder)
        second.communicate(timeout=120)
        seconds.append((second.returncode, len(server.calls) - asked_before))

    server.before("applyWrites", run_second)
    first = worker(row, server, folder)
    first.communicate(timeout=240)
    assert (first.returncode, seconds) == (0, [(killed_worker.NOTHING_TO_DO, 0)])
    row.refresh_from_db()
    check_deleted(row, server, alice, before)


def test_a_worker_that_was_given_up_and_comes_back_changes_nothing(
    server: PdsServer, alice: Account, clock: Clock, folder: Path
) -> None:
    """Its call was on its way for longer than its lease, while the next worker did the whole job."""
    before = alice.repo.keys
    row = confirmed_job(server, alice, clock)
    seconds: list[int] = []

    def run_second(call: ruled_server.Call) -> None:
        if len(server.asked("applyWrites")) > 1:
            return  # the calls of the second
        given_up(row)
        second = worker(row, server, folder)
        second.communicate(timeout=120)
        seconds.append(second.returncode)

    server.before("applyWrites", run_second)
    first = worker(row, server, folder)
    first.communicate(timeout=240)
    assert (first.returncode, seconds) == (0, [0])
    assert [call.done for call in server.asked("applyWrites")].count(400) == 1  # the swap of the first
    row.refresh_from_db()
    check_deleted(row, server, alice, before)
