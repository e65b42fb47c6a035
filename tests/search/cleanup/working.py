"""Lets clean-ups work in tests: settings of a network, jobs of its accounts, steps on a clock that tests move."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from django.utils import timezone

from atsite.core.config import config
from atsite.core.jobs import runner
from atsite.core.jobs.lease import claim
from atsite.core.outgoing import Client
from atsite.core.pds import Pds
from indexer.backfill.repo import Paces
from search.cleanup import owner_actions
from search.cleanup.access import sessions
from search.cleanup.engine import remote_repo, run
from search.cleanup.models import CleanupBatch, Outcome, PdsSession, RepoCleanupJob
from search.cleanup.planning.record_types import RecordType
from search.cleanup.planning.rules import Rules
from search.cleanup.states import State
from tests.steps import steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from atsite.core.pds import Session

ALL: Final = frozenset(RecordType)


class Clock:
    """The time of a job's leases; it stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        """The same as unix seconds, for servers of the test."""
        return self.now.timestamp()

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@contextmanager
def working(folder: Path, url: str, *, appview: str = "", **cleanup: Any) -> Iterator[None]:
    """For the block, all modules work with the network at `url`, and nothing is slowed down.

    `cleanup`: other settings of config.cleanup.
    """
    changed = replace(
        config,
        plc_url=url,
        handle_resolver_url=url,
        appview_url=appview,
        allow_loopback=True,
        cleanup=replace(config.cleanup, folder=folder, **cleanup),
    )
    # Not where later imports would take it from and keep it.
    readers = [
        module
        for name, module in list(sys.modules.items())
        if name != "atsite.core.config" and vars(module).get("config") is config
    ]
    with ExitStack() as patches:
        for module in readers:
            patches.enter_context(patch.object(module, "config", changed))
        patches.enter_context(patch.object(remote_repo, "_paces", Paces(1e6, 1e6)))
        yield


def signed_in(pds_url: str, identifier: str, password: str) -> PdsSession:
    """A stored session, as the page makes it."""

    async def ask() -> Session:
        async with Client(loopback=True) as client:
            return await Pds(client, pds_url).create_session(identifier, password)

    return kept(asyncio.run(ask()), pds_url)


def kept(session: Session, pds_url: str) -> PdsSession:
    """A session in the table."""
    return sessions.store(session, pds_url, expires_at=timezone.now() + timedelta(minutes=30))


def rules(*types: RecordType, **more: Any) -> Rules:
    """Delete everything of these types, of all where none is named, before tomorrow."""
    if "delete_until_days_ago" not in more:
        more.setdefault("delete_before", datetime.now(UTC) + timedelta(days=1))
    return Rules(types=frozenset(types) or ALL, **more)


def asked(session: PdsSession, chosen: Rules | None = None, *, permitted: bool = True) -> RepoCleanupJob:
    """A new job of a session's account."""
    return owner_actions.create(session, "a.test", chosen or rules(), permitted=permitted, requested_by="test")[0]


def step(row: RepoCleanupJob, clock: Clock) -> RepoCleanupJob:
    """One step of a job, whether it is due or not, but not while another worker has it."""
    row.refresh_from_db()
    lease = claim(row, early=True, clock=clock)
    assert lease is not None, (row.state, row.reason, row.leased_until)
    runner.run(lease, run.work)
    row.refresh_from_db()
    return row


def confirmed(session: PdsSession, clock: Clock, chosen: Rules | None = None) -> RepoCleanupJob:
    """A job whose plan was made and confirmed; the pause is over."""
    row = step(asked(session, chosen), clock)
    assert row.state == State.PLANNED, row.reason
    owner_actions.confirm(row, row.plan_digest)
    row.refresh_from_db()
    return row


def ended(row: RepoCleanupJob, clock: Clock) -> RepoCleanupJob:
    """Take steps, each when it is due, until the job has ended or needs its owner."""
    for _ in steps(300):
        row.refresh_from_db()
        if row.current_state not in (State.PLANNING, State.WAITING, State.RUNNING):
            return row
        clock.now = max(clock.now, row.next_at or clock.now, row.leased_until or clock.now)
        step(row, clock)
    raise AssertionError


def given_up(row: RepoCleanupJob) -> None:
    """Let the lease of a worker that was killed end."""
    RepoCleanupJob.objects.filter(pk=row.pk).exclude(leased_until=None).update(leased_until=timezone.now())


def planned(row: RepoCleanupJob) -> dict[str, str]:
    """The CID of each record in the batches, by collection/rkey."""
    return {path: cid for batch in CleanupBatch.objects.filter(job=row) for path, cid in batch.items}


def outcomes(row: RepoCleanupJob) -> dict[str, Outcome]:
    """What became of each record."""
    return {
        path: Outcome(letter)
        for batch in CleanupBatch.objects.filter(job=row)
        for (path, _), letter in zip(batch.items, batch.outcome, strict=True)
    }
