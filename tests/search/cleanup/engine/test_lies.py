"""A server that lies or breaks: nothing is deleted, and its owner is told why."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from search.cleanup.engine import remote_repo
from search.cleanup.engine.remote_repo import working_file
from search.cleanup.states import State
from tests.search.cleanup.engine.world import World, posts
from tests.search.cleanup.pds_server import CAR_TYPE, Answer, cut, refused, silence

if TYPE_CHECKING:
    from search.cleanup.models import RepoCleanupJob

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@pytest.fixture
def filled(world: World) -> World:
    world.account.repo.write(posts(60))
    return world


def car(content: bytes) -> Answer:
    return Answer(200, content, {"content-type": CAR_TYPE})


def after_plan(world: World, answer: Answer) -> RepoCleanupJob:
    """The job after its first step with that answer to getRepo; nothing may be deleted."""
    world.server.fail("getRepo", answer)
    made = world.step(world.job("post"))
    assert len(world.account.repo.keys) == 60
    return made


@pytest.mark.parametrize("part", [0.3, 0.9, 0.999])
def test_half_a_repo_fails_the_job(filled: World, part: float) -> None:
    whole = filled.account.repo.file()
    made = after_plan(filled, car(whole[: int(len(whole) * part)]))
    assert made.state == State.FAILED
    assert made.reason.startswith("The downloaded repo is not valid: the file ")


def test_a_repo_without_one_block_fails_the_job(filled: World) -> None:
    rev = filled.account.repo.rev
    filled.account.repo.write(posts(61))
    made = after_plan_with_changes(filled, rev)
    assert (made.state, "is missing" in made.reason) == (State.FAILED, True)


def after_plan_with_changes(world: World, rev: str) -> RepoCleanupJob:
    """A repo that has only what is new since `rev`, as an answer to the question for all of it."""
    world.server.fail("getRepo", car(world.account.repo.file(rev)))
    return world.step(world.job("post"))


def test_the_repo_of_another_account_fails_the_job(filled: World) -> None:
    other = filled.server.account("mallory")
    other.repo.write(posts(3))
    made = after_plan(filled, car(other.repo.file()))
    assert made.state == State.FAILED
    assert f"the repo belongs to {other.did}" in made.reason


def test_a_repo_that_is_too_large_fails_the_job(filled: World) -> None:
    usual = remote_repo.config  # type: ignore[attr-defined]
    with patch.object(remote_repo, "config", replace(usual, cleanup=replace(usual.cleanup, repo_max_bytes=5_000))):
        made = filled.step(filled.job("post"))
    assert (made.state, made.reason) == (State.FAILED, "The repo is larger than this site downloads (0 MB).")


@pytest.mark.parametrize(
    "answer", [cut(), Answer(200, b"x" * 900, cut_after=700), refused(502, "UpstreamFailure"), refused(500, "x")]
)
def test_a_download_that_breaks_is_tried_again(filled: World, answer: Answer) -> None:
    made = after_plan(filled, answer)
    assert (made.state, made.tries) == (State.WAITING, 1)
    assert made.reason
    assert filled.to_end(made).state == State.PLANNED


def test_a_download_without_a_byte_is_given_up(filled: World) -> None:
    with patch.object(remote_repo, "IDLE_SECONDS", 0.3):
        made = after_plan(filled, silence())
    assert (made.state, made.reason) == (State.WAITING, "The repo cannot be downloaded: no answer within 0.3 s")


@pytest.mark.parametrize(
    ("status", "reason"),
    [("takendown", "Its server has taken the account down."), ("deactivated", "The account is deactivated.")],
)
def test_an_account_that_is_not_active_fails_the_job(filled: World, status: str, reason: str) -> None:
    made = filled.job("post")
    filled.account.status = status
    planned = filled.step(made)
    assert (planned.state, planned.reason) == (State.FAILED, reason)


def test_a_session_of_another_account_is_not_used(filled: World) -> None:
    made = filled.confirmed("post")
    other = filled.server.account("mallory")

    def swapped(call: object, go_on: object) -> Answer:
        answer: Answer = go_on()  # type: ignore[operator]
        answer.content = {**answer.content, "did": other.did}
        return answer

    filled.server.rule("refreshSession", swapped, times=None)
    waiting = filled.step(made)
    assert waiting.state == State.WAITING
    assert "that of another account" in waiting.reason
    assert filled.server.asked("applyWrites") == []


def test_half_of_the_repo_before_the_first_delete_deletes_nothing(filled: World) -> None:
    made = filled.confirmed("post")
    whole = filled.account.repo.file()
    filled.server.fail("getRepo", car(whole[: len(whole) // 2]))
    failed = filled.step(made)
    assert (failed.state, filled.server.asked("applyWrites")) == (State.FAILED, [])


def test_no_file_is_left_behind(filled: World) -> None:
    filled.to_end(filled.confirmed("post"))
    assert list((filled.folder / "work").iterdir()) == []
    with working_file() as path:
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()
