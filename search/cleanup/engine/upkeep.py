"""Upkeep of clean-ups: expires plans, sessions, backups and rows, and re-encrypts after a rotation of keys."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db.models import Q

from atsite.core.config import config
from atsite.core.errors import AtsiteError
from atsite.core.jobs.errors import IllegalMove, JobChanged
from search.cleanup import jobs
from search.cleanup.access import sessions
from search.cleanup.engine import backups
from search.cleanup.engine.point_windows import DAY
from search.cleanup.models import CleanupAudit, CleanupBatch, PdsSession, PointsSent, RepoCleanupJob
from search.cleanup.states import GRAPH, State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

log = structlog.get_logger(__name__)

#: A plan that was not confirmed for this long is out of date.
PLAN_DAYS: Final = 7
#: A job that waited this long for a sign-in is given up.
SIGN_IN_DAYS: Final = 30
AUDIT_DAYS: Final = 90
#: The lists of records and the rules of an ended job without a backup are deleted after this.
WITHOUT_BACKUP: Final = timedelta(days=1)
#: A working file this old belongs to no worker: the longest step takes a fraction of it.
WORK_FILE: Final = timedelta(days=1)
#: Who cancels an expired job, in its reason and history.
SITE: Final = "this site, because it expired"
_ENDED: Final = [str(state) for state in GRAPH.ended]
_ACTIVE: Final = [str(state) for state in GRAPH.active]


@dataclass(slots=True)
class Kept:
    """What one run of the upkeep did."""

    jobs_expired: int = 0
    sessions_deleted: int = 0
    backups_deleted: int = 0
    files_deleted: int = 0
    resealed: int = 0


def run(now: datetime) -> Kept:
    """Do all of it. Each part can be repeated, and a part that fails is logged and does not stop the others."""
    kept = Kept()
    for part in (_expire_jobs, _delete_sessions, _delete_backups, _delete_rows, _delete_work_files, _reseal):
        try:
            part(now, kept)
        except (AtsiteError, OSError):
            log.exception("cleanup.upkeep", part=part.__name__)
    return kept


def _expire_jobs(now: datetime, kept: Kept) -> None:
    plans = Q(state=State.PLANNED, planned_at__lte=now - timedelta(days=PLAN_DAYS))
    sign_ins = Q(state=State.NEEDS_SIGN_IN, created_at__lte=now - timedelta(days=SIGN_IN_DAYS))
    for job in RepoCleanupJob.objects.filter(plans | sign_ins):
        if job.current_state is State.NEEDS_SIGN_IN and _since(job) > now - timedelta(days=SIGN_IN_DAYS):
            continue
        with suppress(IllegalMove, JobChanged):
            jobs.cancel(job.pk, by=SITE)
            kept.jobs_expired += 1


def _delete_sessions(now: datetime, kept: Kept) -> None:
    """Those that have expired (they do so a day after their job began to wait for its owner), and of ended jobs."""
    kept.sessions_deleted += sessions.forget_expired(now=now)
    for row in PdsSession.objects.filter(job__state__in=_ENDED):
        sessions.forget(row)
        kept.sessions_deleted += 1


def _delete_backups(now: datetime, kept: Kept) -> None:
    """Expired ones, lists of records and rules that nothing needs any more, and files that belong to no job."""
    for job in RepoCleanupJob.objects.exclude(backup="").filter(backup_until__lte=now, state__in=_ENDED):
        if job.undone_by.filter(state__in=_ACTIVE).exists():
            continue
        backups.drop(job)
        kept.backups_deleted += 1
    without_backup = RepoCleanupJob.objects.filter(backup="", state__in=_ENDED, finished_at__lte=now - WITHOUT_BACKUP)
    CleanupBatch.objects.filter(job__in=without_backup).exclude(items=[]).update(items=[])
    without_backup.exclude(rules={}).update(rules={})
    known = set(RepoCleanupJob.objects.exclude(backup="").values_list("backup", flat=True))
    for path in _old_files(backups.folder(), now):
        if path.name not in known:
            path.unlink(missing_ok=True)
            kept.files_deleted += 1


def _delete_rows(now: datetime, kept: Kept) -> None:
    PointsSent.objects.filter(sent_at__lte=now - DAY).delete()
    CleanupAudit.objects.filter(at__lte=now - timedelta(days=AUDIT_DAYS)).delete()


def _delete_work_files(now: datetime, kept: Kept) -> None:
    for path in _old_files(config.cleanup.folder / "work", now):
        path.unlink(missing_ok=True)
        kept.files_deleted += 1


def _reseal(now: datetime, kept: Kept) -> None:
    """Encrypt with the first key what an older one encrypted."""
    all_keys = sessions.sealer()
    if not all_keys:
        return
    newest = all_keys.newest()
    kept.resealed += sessions.seal_again()
    for job in RepoCleanupJob.objects.exclude(backup=""):
        path = backups.folder() / job.backup
        if path.exists() and not backups.is_sealed_with(newest, path):
            backups.reseal(path, path, all_keys)
            kept.resealed += 1


def _since(job: RepoCleanupJob) -> datetime:
    """When the job came into its state: the time of its latest history entry."""
    entry: Any = job.history.order_by("-history_id").first()
    since: datetime = entry.history_date if entry is not None else job.created_at
    return since


def _old_files(folder: Path, now: datetime) -> Iterator[Path]:
    """Files of the folder that have not been written for WORK_FILE; empty if there is no such folder."""
    if folder.is_dir():
        for path in folder.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime <= (now - WORK_FILE).timestamp():
                    yield path
