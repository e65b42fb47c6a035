"""What expires, when, and what a rotation of keys changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from django.utils import timezone
from pyrage import x25519

from atsite.core.config import config
from atsite.core.sealed import Sealer
from search.cleanup import jobs, owner_actions
from search.cleanup.access import sessions
from search.cleanup.engine import backups, upkeep
from search.cleanup.models import CleanupAudit, CleanupBatch, PdsSession, PointsSent, RefusedAccount, RepoCleanupJob
from search.cleanup.states import State
from tests.search.cleanup.engine.world import World, posts

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from search.cleanup.engine.upkeep import Kept

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])


@pytest.fixture
def filled(world: World) -> World:
    world.account.repo.write(posts(3))
    return world


def after(**parts: float) -> Kept:
    return upkeep.run(timezone.now() + timedelta(**parts))


def test_a_plan_that_nobody_confirmed_expires_after_a_week(filled: World) -> None:
    made = filled.planned("post")
    assert after(days=6.9).jobs_expired == 0
    assert after(days=7.1).jobs_expired == 1
    expired = filled.stored(made)
    assert (expired.state, expired.reason) == ("cancelled", "cancelled by this site, because it expired")


def test_a_job_that_nobody_signed_in_for_expires_after_a_month(filled: World) -> None:
    made = filled.confirmed("post")
    filled.account.status = "takendown"
    assert filled.step(made).state == State.NEEDS_SIGN_IN
    assert after(days=29.9).jobs_expired == 0
    assert after(days=30.1).jobs_expired == 1


def test_tokens_of_a_plan_that_waits_are_deleted_after_a_day(filled: World) -> None:
    made = filled.planned("post")
    assert after(hours=23.9).sessions_deleted == 0
    assert after(hours=24.1).sessions_deleted == 1
    assert PdsSession.objects.count() == 0
    assert filled.server.sessions == 0
    owner_actions.confirm(made, made.plan_digest)
    assert filled.stored(made).state == State.NEEDS_SIGN_IN


def test_tokens_of_a_job_at_work_are_kept(filled: World) -> None:
    filled.confirmed("post")
    assert after(days=2).sessions_deleted == 0


def test_a_backup_is_there_for_its_days_and_then_gone_with_the_lists_of_records(filled: World) -> None:
    done = filled.to_end(filled.confirmed("post"))
    (file,) = backups.folder().iterdir()
    assert file.name == done.backup
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"Hello" not in file.read_bytes()
    assert b"Hello" in b"".join(backups.pieces(done))
    assert after(days=29.9).backups_deleted == 0
    assert after(days=30.1).backups_deleted == 1
    assert list(backups.folder().iterdir()) == []
    assert [batch.items for batch in CleanupBatch.objects.all()] == [[]]
    stored = filled.stored(done)
    assert (stored.backup, stored.state, stored.records_deleted) == ("", "completed", 3)
    assert not owner_actions.can_undo(stored)


def test_a_backup_that_an_undo_uses_is_kept(filled: World) -> None:
    done = filled.to_end(filled.confirmed("post"))
    owner_actions.undo(done, filled.session(), requested_by="test")
    assert after(days=31).backups_deleted == 0
    assert len(list(backups.folder().iterdir())) == 1


def test_files_that_a_killed_worker_left_are_deleted_after_a_day(filled: World) -> None:
    left = [backups.folder() / "unknown.car.age", filled.folder / "work" / "tmp123"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    assert after(hours=23).files_deleted == 0
    assert after(hours=25).files_deleted == 2
    assert [path.exists() for path in left] == [False, False]


def test_points_and_audit_rows_are_deleted_in_time(filled: World) -> None:
    filled.to_end(filled.confirmed("post"))
    assert (PointsSent.objects.count(), CleanupAudit.objects.count() > 0) == (1, True)
    after(hours=25)
    assert (PointsSent.objects.count(), CleanupAudit.objects.count() > 0) == (0, True)
    after(days=89)
    assert CleanupAudit.objects.count() > 0
    after(days=91)
    assert CleanupAudit.objects.count() == 0


@pytest.fixture
def two_keys() -> AbstractContextManager[object]:
    newer = str(x25519.Identity.generate())
    changed = replace(config, cleanup=replace(config.cleanup, keys=(newer, *config.cleanup.keys)))
    return patch.object(sessions, "config", changed)


def test_a_new_key_encrypts_what_an_older_one_did(filled: World, two_keys: AbstractContextManager[object]) -> None:
    filled.to_end(filled.confirmed("post"))
    row = filled.session()
    tokens, older = sessions.open_session(row), Sealer(config.cleanup.keys)
    job = RepoCleanupJob.objects.get()
    content = b"".join(backups.pieces(job))
    with two_keys:
        assert after(minutes=1).resealed == 2
        assert after(minutes=1).resealed == 0
        newest = sessions.sealer().newest()
        assert backups.is_sealed_with(newest, backups.folder() / job.backup)
        assert not backups.is_sealed_with(older, backups.folder() / job.backup)
        assert b"".join(backups.pieces(job)) == content
        row.refresh_from_db()
        assert sessions.open_session(row) == tokens
        newest.open(bytes(row.sealed))


def test_a_part_that_fails_does_not_stop_the_others(filled: World) -> None:
    filled.to_end(filled.confirmed("post"))
    with patch.object(backups, "folder", side_effect=OSError(13, "Permission denied")):
        kept = after(days=91)
    assert (kept.backups_deleted, CleanupAudit.objects.count()) == (0, 0)


def test_a_failed_clean_up_whose_lists_were_deleted_is_not_tried_again(filled: World) -> None:
    made = filled.confirmed("post")
    RefusedAccount.objects.create(did=made.did)
    failed = filled.step(made)
    RefusedAccount.objects.all().delete()
    assert (failed.state, failed.backup, jobs.can_retry(failed)) == (State.FAILED, "", True)
    after(hours=25)
    assert not jobs.can_retry(filled.stored(made))
    with pytest.raises(jobs.Forgotten, match="was deleted"):
        jobs.retry(made.pk, by="admin")
