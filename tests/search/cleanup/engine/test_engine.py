"""Clean-ups from plan to end, against a PDS on a socket."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from atsite.celery import QUEUE, QUEUE_PREFIX
from atsite.core.jobs.lease import claim
from search.cleanup import owner_actions
from search.cleanup.models import CleanupSwitch, PdsSession, PointsSent, RefusedAccount
from search.cleanup.states import State
from tests.search.cleanup.engine.world import LIKE, POST, World, like, post, posts, rkey
from tests.search.cleanup.pds_server import cut, refused

if TYPE_CHECKING:
    import redis

    from tests.search.cleanup.pds_server import Call

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

OTHER = "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l6oveex3ii2l"
NEW = f"{POST}/new"


@pytest.fixture
def filled(world: World) -> World:
    """450 old posts, a new one, and a like."""
    world.account.repo.write(
        {**posts(450), NEW: post(at=world.clock.now.isoformat()), f"{LIKE}/{rkey(0)}": like(OTHER)}
    )
    return world


def test_a_plan_is_stored_and_shown_and_nothing_is_deleted(filled: World) -> None:
    before = filled.account.repo.keys
    made = filled.planned("post")
    assert (made.records_planned, made.plan["deletes"], made.plan["records"]) == (450, 450, 452)
    assert made.plan["kept_by_reason"] == {"not_chosen": 1, "too_new": 1}
    assert made.plan["hours"] == 1
    assert len(made.plan_digest) == 64
    assert sorted(len(batch.items) for batch in made.batches.all()) == [50, 200, 200]
    assert filled.account.repo.keys == before
    assert filled.server.asked("applyWrites") == []
    assert filled.to_end(made).state == State.PLANNED


def test_what_is_only_to_be_shown_ends_as_a_plan_without_a_session(filled: World) -> None:
    made = filled.step(filled.job("post", permitted=False))
    assert made.state == State.PLANNED
    assert PdsSession.objects.count() == 0
    assert [call.status for call in filled.server.asked("deleteSession")] == [200]
    with pytest.raises(owner_actions.NotPossible):
        owner_actions.confirm(made, made.plan_digest)


def test_exactly_the_plan_is_deleted_after_the_pause(filled: World) -> None:
    made = filled.planned("post")
    owner_actions.confirm(made, made.plan_digest)
    filled.clock.move(minutes=9)
    assert filled.step(made).state == State.WAITING
    assert filled.server.asked("applyWrites") == []
    done = filled.to_end(made)
    assert (done.state, done.reason, done.report["left"]) == (State.COMPLETED, "", {})
    assert (done.records_deleted, done.records_gone, done.records_kept, done.percent) == (450, 0, 0, 100)
    assert sorted(filled.account.repo.keys) == sorted([NEW, f"{LIKE}/{rkey(0)}"])
    assert [len(call.body["writes"]) for call in filled.server.asked("applyWrites")] == [200, 200, 50]
    assert PdsSession.objects.count() == 0
    assert [call.status for call in filled.server.asked("deleteSession")] == [200]
    assert sum(PointsSent.objects.values_list("points", flat=True)) == 450


def test_each_batch_is_checked_against_the_commit_before_it(filled: World) -> None:
    filled.to_end(filled.confirmed("post"))
    swaps = [call.body["swapCommit"] for call in filled.server.asked("applyWrites")]
    assert len(set(swaps)) == 3
    assert None not in swaps
    assert filled.server.asked("getRepo")[1:] != []


def test_what_its_owner_deleted_or_edited_meanwhile_is_not_touched(filled: World) -> None:
    made = filled.confirmed("post")
    deleted, edited, edited_late = (f"{POST}/{rkey(number)}" for number in (3, 5, 300))
    filled.account.repo.write({deleted: None, edited: post("edited")})

    def edit(_: Call) -> None:
        filled.account.repo.write({edited_late: post("edited late"), f"{POST}/fresh": post("new, with an old date")})

    filled.server.before("applyWrites", edit)
    done = filled.to_end(made)
    assert (done.state, done.records_deleted, done.records_gone, done.records_kept) == ("completed", 447, 1, 2)
    left = filled.account.repo.values
    assert (left[edited]["text"], left[edited_late]["text"]) == ("edited", "edited late")
    assert f"{POST}/fresh" in left
    assert done.report["left"] == {"changed": 2}
    assert done.reason == "Of the plan, 2 were changed after the plan was made, and stay."


def test_a_repo_that_always_changes_is_deleted_record_by_record(filled: World) -> None:
    made = filled.confirmed("post")
    number = iter(range(10_000))
    filled.server.before(
        "applyWrites", lambda _: filled.account.repo.write({f"{LIKE}/x{next(number)}": like(OTHER)}), times=3
    )
    done = filled.to_end(made)
    assert (done.state, done.records_deleted) == ("completed", 450)
    assert len(filled.server.asked("deleteRecord")) == 200
    assert all(call.body["swapRecord"] for call in filled.server.asked("deleteRecord"))
    assert len(filled.account.repo.keys) == 2 + 3


@pytest.mark.parametrize("acted", [True, False])
def test_an_answer_that_is_lost_is_looked_up_in_the_repo(filled: World, acted: bool) -> None:
    if acted:
        filled.server.lose_answer("applyWrites")
    else:
        filled.server.fail("applyWrites", cut())
    done = filled.to_end(filled.confirmed("post"))
    assert (done.state, done.records_deleted, done.records_gone) == ("completed", 450, 0)
    assert len(filled.account.repo.keys) == 2
    deletes = [write["rkey"] for call in filled.server.asked("applyWrites") for write in call.body["writes"]]
    assert len(deletes) == (450 if acted else 650)


def test_a_pds_that_is_ill_for_an_hour_is_left_alone_and_then_finished(filled: World) -> None:
    made = filled.confirmed("post")
    well_again = filled.clock.now + timedelta(hours=1)

    def ill(call: Call, go_on: object) -> object:
        return refused(500, "InternalServerError") if filled.clock.now < well_again else None

    filled.server.rule("applyWrites", ill, times=None)
    done = filled.to_end(made)
    assert (done.state, done.records_deleted) == ("completed", 450)
    failed = [call for call in filled.server.asked("applyWrites") if call.status == 500]
    assert 3 <= len(failed) <= 10
    assert len(filled.account.repo.keys) == 2


def test_a_429_is_waited_for(filled: World) -> None:
    made = filled.confirmed("post")
    filled.server.fail("applyWrites", refused(429, "RateLimitExceeded", retry_after="900"))
    waiting = filled.step(made)
    assert (waiting.state, waiting.reason) == (State.WAITING, "Your server asks to wait.")
    assert waiting.next_at == filled.clock.now + timedelta(seconds=900)
    assert (filled.to_end(made).state, len(filled.account.repo.keys)) == ("completed", 2)


def test_a_revoked_app_password_stops_it_and_a_new_sign_in_lets_it_go_on(filled: World) -> None:
    made = filled.confirmed("post")

    def revoke(_: Call) -> None:
        filled.server.revoke_app_passwords(filled.account)
        filled.clock.move(minutes=5)

    filled.server.after("applyWrites", revoke)
    stopped = filled.step(made)
    assert stopped.state == State.NEEDS_SIGN_IN
    assert "app password was revoked" in stopped.reason
    assert PdsSession.objects.count() == 0
    assert len(filled.server.asked("applyWrites")) <= 2
    filled.server.new_app_password(filled.account)
    owner_actions.sign_in_again(stopped, filled.session())
    done = filled.to_end(made)
    assert (done.state, done.records_deleted, len(filled.account.repo.keys)) == ("completed", 450, 2)


def test_a_cancel_takes_effect_after_the_batch(filled: World) -> None:
    made = filled.confirmed("post")
    filled.server.after("applyWrites", lambda _: owner_actions.cancel(filled.stored(made)))
    done = filled.step(made)
    assert (done.state, done.records_deleted) == ("cancelled", 200)
    assert len(filled.account.repo.keys) == 252
    assert PdsSession.objects.count() == 0
    assert [call.status for call in filled.server.asked("deleteSession")] == [200]


def test_a_takedown_stops_it(filled: World) -> None:
    made = filled.confirmed("post")
    filled.account.status = "takendown"
    stopped = filled.step(made)
    assert (stopped.state, len(filled.account.repo.keys)) == (State.NEEDS_SIGN_IN, 452)
    assert "taken the account down" in stopped.reason


def test_a_second_worker_finds_nothing_to_do(filled: World) -> None:
    made = filled.confirmed("post")
    seen: list[object] = []

    def second(_: Call) -> None:
        seen.append(claim(filled.stored(made), clock=filled.clock))

    filled.server.before("applyWrites", second, times=None)
    done = filled.to_end(made)
    assert (done.state, seen) == ("completed", [None] * 3)


def test_gates_go_with_their_posts(world: World) -> None:
    gates = ("app.bsky.feed.threadgate", "app.bsky.feed.postgate")
    uri = f"at://{world.account.did}/{POST}/{rkey(1)}"
    gate = {"post": uri, "createdAt": "2020-05-01T12:00:00Z"}
    world.account.repo.write({**posts(2), **{f"{kind}/{rkey(1)}": {"$type": kind, **gate} for kind in gates}})
    made = world.planned()
    assert (made.plan["deletes"], made.plan["gates"]) == (4, 2)
    owner_actions.confirm(made, made.plan_digest)
    assert world.to_end(made).records_deleted == 4
    assert world.account.repo.keys == {}


def test_an_undo_brings_back_each_record_under_its_key(filled: World) -> None:
    before = filled.account.repo.keys
    done = filled.to_end(filled.confirmed())
    assert len(filled.account.repo.keys) == 1
    undone = filled.undo(done)
    assert (undone.state, undone.reason, undone.records_deleted) == ("completed", "", 451)
    assert filled.account.repo.keys == before


def test_an_undo_of_a_job_that_was_cancelled_halfway(filled: World) -> None:
    before = filled.account.repo.keys
    made = filled.confirmed("post")
    filled.server.after("applyWrites", lambda _: owner_actions.cancel(filled.stored(made)))
    filled.step(made)
    filled.account.repo.write({f"{POST}/{rkey(7)}": post("written again by hand")})
    undone = filled.undo(made)
    assert (undone.state, undone.records_deleted, undone.records_kept) == ("completed", 199, 1)
    assert {path for path, cid in before.items() if filled.account.repo.keys.get(path) != cid} == {f"{POST}/{rkey(7)}"}


def test_the_pds_says_that_its_own_limit_is_nearly_used_up(filled: World) -> None:
    made = filled.confirmed("post")
    reset = int(filled.clock.now.timestamp()) + 1_200
    headers = {"ratelimit-limit": "5000", "ratelimit-remaining": "150", "ratelimit-reset": str(reset)}

    def low(call: Call, go_on: object) -> object:
        answer = go_on()  # type: ignore[operator]
        answer.headers = {**headers, "ratelimit-policy": "5000;w=3600"}
        return answer

    filled.server.rule("applyWrites", low, times=None)
    waiting = filled.step(made)
    assert (waiting.records_deleted, waiting.reason) == (200, "Your server's own limit is used up for now.")
    assert waiting.next_at is not None
    assert int(waiting.next_at.timestamp()) == reset
    assert filled.to_end(made).records_deleted == 450


def test_the_gate_of_a_post_that_was_edited_at_the_last_moment_stays(world: World) -> None:
    kind, path = "app.bsky.feed.threadgate", f"{POST}/{rkey(1)}"
    uri = f"at://{world.account.did}/{path}"
    gate = {"$type": kind, "post": uri, "createdAt": "2020-05-01T12:00:00Z"}
    world.account.repo.write({**posts(3), f"{kind}/{rkey(1)}": gate})
    number = iter(range(100))
    made = world.confirmed("post")
    world.server.before("applyWrites", lambda _: world.account.repo.write({f"{LIKE}/x{next(number)}": like(OTHER)}), 3)
    world.server.before("deleteRecord", lambda _: world.account.repo.write({path: post("edited")}))
    done = world.to_end(made)
    assert (done.state, done.records_deleted, done.records_kept) == ("completed", 2, 2)
    assert {path, f"{kind}/{rkey(1)}"} <= set(world.account.repo.keys)


def test_an_operator_pauses_and_refuses(filled: World) -> None:
    made = filled.confirmed("post")
    filled.server.after("applyWrites", lambda _: CleanupSwitch.objects.update_or_create(defaults={"paused": True}))
    paused = filled.step(made)
    assert paused.records_deleted == 200
    paused = filled.step(made)
    assert (paused.state, paused.reason) == (State.WAITING, "The operator of this site has paused all clean-ups.")
    CleanupSwitch.objects.update(paused=False)
    RefusedAccount.objects.create(did=filled.account.did)
    failed = filled.to_end(made)
    assert (failed.state, failed.records_deleted) == (State.FAILED, 200)
    assert failed.reason == "The operator of this site refuses clean-ups of this account."
    assert PdsSession.objects.count() == 0


def test_posts_that_the_server_refuses_to_create_again_are_counted_and_the_others_come_back(filled: World) -> None:
    done = filled.to_end(filled.confirmed("post"))
    lost = {rkey(5), rkey(6)}

    def blob_missing(call: Call, go_on: object) -> object:
        if any(write["rkey"] in lost for write in call.body["writes"]):
            return refused(400, "BlobNotFound", "Could not find blob")
        return None

    filled.server.rule("applyWrites", blob_missing, times=None)
    undone = filled.undo(done)
    assert (undone.state, undone.records_deleted, undone.records_kept) == ("completed", 448, 2)
    assert undone.reason == "Of the plan, 2 were refused by your server."
    assert len(filled.account.repo.keys) == 450


def test_a_worker_is_told_at_once_of_a_job_that_is_due(filled: World, valkey: redis.Redis) -> None:
    queue = f"{QUEUE_PREFIX}{QUEUE}"
    made = filled.job("post")
    (message,) = valkey.lrange(queue, 0, -1)
    assert json.loads(message)["headers"]["task"] == "search.cleanup.tasks.run_cleanups"
    filled.step(made)
    valkey.flushdb()
    planned = filled.stored(made)
    owner_actions.confirm(planned, planned.plan_digest)
    assert valkey.llen(queue) == 0  # it is due after the pause
