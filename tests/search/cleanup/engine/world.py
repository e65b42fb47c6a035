"""A clock, a PDS with an account, and jobs of that account whose steps a test takes one by one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from atsite.core.atproto.tid import int_to_tid
from atsite.core.jobs import runner
from atsite.core.jobs.lease import claim
from atsite.core.pds import Session
from search.cleanup import owner_actions
from search.cleanup.access import sessions
from search.cleanup.engine import run
from search.cleanup.models import RepoCleanupJob
from search.cleanup.planning.record_types import RecordType
from search.cleanup.planning.rules import Rules
from search.cleanup.states import State
from tests.search.cleanup import pds_server
from tests.search.cleanup.working import Clock, working

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from search.cleanup.models import PdsSession
    from tests.search.cleanup.pds_server import Account, PdsServer

POST, LIKE = "app.bsky.feed.post", "app.bsky.feed.like"


@dataclass
class World:
    """One account at one PDS."""

    clock: Clock
    server: PdsServer
    account: Account
    folder: Path

    def session(self) -> PdsSession:
        """Sign in, as the API does."""
        answer = self.server.answer(
            "POST",
            "/xrpc/com.atproto.server.createSession",
            "",
            _json({"identifier": self.account.did, "password": self.account.app_password}),
        ).content
        tokens = Session(self.account.did, self.account.handle, answer["accessJwt"], answer["refreshJwt"])
        return sessions.store(tokens, self.server.url, expires_at=timezone.now() + timedelta(minutes=30))

    def job(self, *types: str, permitted: bool = True, **rules: Any) -> RepoCleanupJob:
        """A new job, not planned yet; without types: all."""
        chosen = frozenset(RecordType(each) for each in types or tuple(RecordType))
        if "delete_before" not in rules:
            rules.setdefault("delete_until_days_ago", 30)
        made, _ = owner_actions.create(
            self.session(), self.account.handle, Rules(types=chosen, **rules), permitted=permitted, requested_by="test"
        )
        return made

    def step(self, job: RepoCleanupJob) -> RepoCleanupJob:
        """One step of a worker, if the job is due; returns the stored row."""
        self.clock.now = max(self.clock.now, timezone.now())  # actions of owners have the real time
        lease = claim(self.stored(job), clock=self.clock)
        if lease is not None:
            runner.run(lease, run.work)
        return self.stored(job)

    def stored(self, job: RepoCleanupJob) -> RepoCleanupJob:
        row: RepoCleanupJob = RepoCleanupJob.objects.get(pk=job.pk)
        return row

    def planned(self, *types: str, **rules: Any) -> RepoCleanupJob:
        """A job with its plan."""
        made = self.step(self.job(*types, **rules))
        assert made.current_state is State.PLANNED, made.reason
        return made

    def confirmed(self, *types: str, **rules: Any) -> RepoCleanupJob:
        """A job whose pause is over."""
        made = self.planned(*types, **rules)
        owner_actions.confirm(made, made.plan_digest)
        self.clock.move(minutes=10, seconds=1)
        return self.stored(made)

    def to_end(self, job: RepoCleanupJob, steps: int = 60) -> RepoCleanupJob:
        """Take steps, moving the clock to each due time, until the job has ended or waits for its owner."""
        for _ in range(steps):
            job = self.stored(job)
            if job.next_at is None:
                return job
            self.clock.now = max(self.clock.now, job.next_at)
            job = self.step(job)
        raise AssertionError(f"after {steps} steps it is {job.state}: {job.reason}")

    def undo(self, job: RepoCleanupJob) -> RepoCleanupJob:
        """Undo an ended job, to the end."""
        made, _ = owner_actions.undo(self.stored(job), self.session(), requested_by="test")
        return self.to_end(made)


def _json(value: object) -> bytes:
    import json

    return json.dumps(value).encode()


def post(text: str = "Hello", at: str = "2020-05-01T12:00:00Z", **more: Any) -> dict[str, Any]:
    return {"$type": POST, "text": text, "createdAt": at, **more}


def like(uri: str, at: str = "2020-05-01T12:00:00Z") -> dict[str, Any]:
    cid = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
    return {"$type": LIKE, "subject": {"uri": uri, "cid": cid}, "createdAt": at}


def rkey(number: int) -> str:
    """A TID of 2020."""
    return str(int_to_tid((1_590_000_000_000_000 + number) << 10))


def posts(count: int, text: str = "Hello") -> dict[str, dict[str, Any] | None]:
    """Old posts by collection/rkey."""
    return {f"{POST}/{rkey(number)}": post(f"{text} {number}") for number in range(count)}


@contextmanager
def a_world(folder: Path, name: str = "alice", **settings: Any) -> Iterator[World]:
    """`settings`: of config.cleanup."""
    clock = Clock()
    with pds_server.serving(clock.seconds) as server, working(folder, server.url, appview=server.url, **settings):
        yield World(clock, server, server.account(name), folder)
