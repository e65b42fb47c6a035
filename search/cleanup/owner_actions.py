"""What the owner of an account does with clean-ups: each action is one transaction with its history and audit row.

`address` is the client's address (atsite.core.web.auth), which the audit stores as a keyed hash. Sessions (PdsSession)
that are passed belong to the job afterwards; if an action raises, they are as before.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from atsite.core.clock import us_of
from atsite.core.copies import versions
from atsite.core.errors import AtsiteError
from atsite.core.jobs import moves
from atsite.core.routers import DEFAULT
from search.cleanup.access import audit, sessions, tokens
from search.cleanup.access.audit import OWNER
from search.cleanup.engine import backups
from search.cleanup.jobs import AnotherJob, announce_due, changed, end
from search.cleanup.models import CleanupSwitch, Kind, PdsSession, RefusedAccount, RepoCleanupJob
from search.cleanup.states import GRAPH, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.cleanup.planning.rules import Rules

#: Between the confirmation and the first delete; in this time nothing is deleted and a cancel undoes all.
PAUSE: Final = timedelta(minutes=10)
#: How long a session waits for the owner's next step.
WAITING_SESSION: Final = timedelta(days=1)
#: How long a confirmed job may wait before its owner must sign in again: as long as a refresh token lives.
WORKING_SESSION: Final = sessions.TOKEN_LIFE


class NotOffered(AtsiteError):
    """This site has no keys, or an operator paused all clean-ups."""


class AccountRefused(AtsiteError):
    """An operator refuses clean-ups of this account."""


class NotPossible(AtsiteError):
    """The job is not in a state that allows this; `name` is for programs."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def check_offered(did: str = "") -> None:
    """Raises NotOffered, and AccountRefused for a did whose clean-ups are refused."""
    if not sessions.sealer():
        raise NotOffered("this site does not offer clean-ups")
    if CleanupSwitch.is_paused():
        raise NotOffered("clean-ups are paused on this site, try again later")
    if did and RefusedAccount.is_refused(did):
        raise AccountRefused("this site does not offer clean-ups for this account")


def create(
    session: PdsSession, handle: str, rules: Rules, *, permitted: bool, requested_by: str, address: str = ""
) -> tuple[RepoCleanupJob, str]:
    """A new job of the session's account, and its secret token. A job that is not confirmed yet is replaced.

    `permitted`: whether its plan may be confirmed. Raises NotOffered, AccountRefused, AnotherJob, SessionGone.
    """
    now = timezone.now()
    values: dict[str, Any] = {
        "types": sorted(rules.types),
        "rules": rules.as_json(),
        "cut_off": rules.cut_off(us_of(now)),
        "permitted": permitted,
        "handle": handle,
    }
    return _begin(session, values, requested_by=requested_by, address=address)


def confirm(job: RepoCleanupJob, digest: str, *, address: str = "") -> RepoCleanupJob:
    """Let the deleting begin after PAUSE; without a session, the owner must sign in first.

    Raises NotPossible, NotOffered, AccountRefused, IllegalMove.
    """
    check_offered(job.did)

    def move(row: RepoCleanupJob) -> None:
        if not row.permitted:
            raise NotPossible("NotPermitted", "this clean-up only shows its plan: start one that may delete")
        if row.current_state is not State.PLANNED:
            raise NotPossible("NotPlanned", f"this clean-up is {row.status}, so there is nothing to confirm")
        if not compare_digest(digest.encode("utf-8", "surrogatepass"), row.plan_digest.encode()):
            raise NotPossible("PlanChanged", "this is not the digest of the plan: read the plan again")
        if not row.records_planned:
            raise NotPossible("NothingToDelete", "the plan deletes nothing")
        now = timezone.now()
        if sessions.keep_until(row, now + WORKING_SESSION):
            moves.move(row, State.WAITING, by=OWNER, next_at=now + PAUSE, confirmed_at=now)
        else:
            sessions.forget_of_job(row)
            reason = "the session of the sign-in has ended"
            moves.move(row, State.NEEDS_SIGN_IN, by=OWNER, reason=reason, confirmed_at=now)

    return _acted(job, "confirmed", move, address)


def sign_in_again(job: RepoCleanupJob, session: PdsSession, *, address: str = "") -> RepoCleanupJob:
    """Give a job a new session of its account; a job that waited for it goes on with its plan.

    Raises NotPossible, NotOffered, AccountRefused, IllegalMove, SessionGone.
    """
    if session.did != job.did:
        raise NotPossible("WrongAccount", "this clean-up is of another account")
    check_offered(job.did)

    def move(row: RepoCleanupJob) -> None:
        now = timezone.now()
        works = row.confirmed_at is not None or row.is_undo
        if row.current_state is State.NEEDS_SIGN_IN:
            to = State.PLANNING if row.confirmed_at is None else State.WAITING
            # What has begun to delete goes on at once; what was only confirmed has the whole pause before it.
            paused = to is State.WAITING and row.started_at is None and not row.is_undo
            moves.move(row, to, by=OWNER, next_at=now + PAUSE if paused else now)
        elif row.current_state is not State.PLANNED or not row.permitted:
            raise NotPossible("NoSignInNeeded", f"this clean-up is {row.status} and needs no sign-in")
        sessions.give_to_job(session, row, expires_at=now + (WORKING_SESSION if works else WAITING_SESSION))

    return _acted(job, "signed in again", move, address)


def cancel(job: RepoCleanupJob, *, address: str = "") -> RepoCleanupJob:
    """Cancel a job. If a worker has it, the job ends after the current batch. Raises IllegalMove, JobChanged."""
    return _acted(job, "cancelled", partial(end, by=OWNER), address)


def can_undo(job: RepoCleanupJob) -> bool:
    """Whether `undo` would begin a job, if the account has no other."""
    return not job.is_undo and not job.is_active and job.records_deleted > 0 and job.has_backup


def undo(
    job: RepoCleanupJob, session: PdsSession, *, requested_by: str, address: str = ""
) -> tuple[RepoCleanupJob, str]:
    """A job that creates the records again that an ended job deleted, and its secret token.

    Raises NotPossible, NotOffered, AccountRefused, AnotherJob, SessionGone.
    """
    if session.did != job.did:
        raise NotPossible("WrongAccount", "this clean-up is of another account")
    values: dict[str, Any] = {
        "kind": Kind.UNDO,
        "undoes": job,
        "types": job.types,
        "rules": job.rules,
        "cut_off": job.cut_off,
        "permitted": True,
        "handle": job.handle,
    }

    def check() -> None:
        job.refresh_from_db()
        if job.is_undo or job.is_active:
            raise NotPossible("NotEnded", "only a clean-up that has ended can be undone")
        if not job.records_deleted:
            raise NotPossible("NothingToUndo", "this clean-up deleted nothing")
        if not job.has_backup:
            raise NotPossible("NoBackup", "the backup is gone, so this clean-up cannot be undone")

    return _begin(session, values, requested_by=requested_by, address=address, check=check, replaces=False)


def delete_backup(job: RepoCleanupJob, *, address: str = "") -> RepoCleanupJob:
    """Delete the backup of an ended job, and the lists that only an undo needs. Raises NotPossible, OSError."""

    def drop(row: RepoCleanupJob) -> None:
        if not row.backup:
            raise NotPossible("NoBackup", "this clean-up has no backup")
        if row.is_active or row.undone_by.filter(state__in=GRAPH.active).exists():
            raise NotPossible("NotEnded", "the backup is in use until the clean-up, or its undo, has ended")
        backups.drop(row)
        RepoCleanupJob.objects.filter(pk=row.pk).update(backup_until=None)
        row.backup, row.backup_until = "", None

    return _acted(job, "deleted the backup", drop, address)


def _begin(
    session: PdsSession,
    values: dict[str, Any],
    *,
    requested_by: str,
    address: str,
    check: Callable[[], None] = lambda: None,
    replaces: bool = True,
) -> tuple[RepoCleanupJob, str]:
    check_offered(session.did)
    token, token_hash = tokens.new_token()
    try:
        with transaction.atomic(using=DEFAULT):
            versions.lock()
            check()
            _make_room(session.did, replaces=replaces, address=address)
            job: RepoCleanupJob = RepoCleanupJob.objects.create(
                did=session.did, token_hash=token_hash, requested_by=requested_by, **values
            )
            works = job.is_undo  # an undo needs no confirmation
            kept = WORKING_SESSION if works else WAITING_SESSION
            sessions.give_to_job(session, job, expires_at=timezone.now() + kept)
            audit.keep(job, f"created ({job.kind})", address=address)
            announce_due(job)
    except IntegrityError as error:
        raise AnotherJob(session.did) from error
    return job, token


def _make_room(did: str, *, replaces: bool, address: str) -> None:
    """Cancel the active job of an account, if it is not confirmed. Raises AnotherJob."""
    for job in RepoCleanupJob.objects.filter(did=did, state__in=GRAPH.active):
        if not replaces or job.is_undo or job.confirmed_at is not None:
            raise AnotherJob(did)
        moves.move(job, State.CANCELLED, by=OWNER, reason="replaced by a new clean-up")
        sessions.forget_of_job(job)
        audit.keep(job, "replaced", address=address)


def _acted(job: RepoCleanupJob, action: str, change: Callable[[RepoCleanupJob], None], address: str) -> RepoCleanupJob:
    def act(row: RepoCleanupJob) -> None:
        change(row)
        audit.keep(row, action, address=address)

    return changed(job.pk, act).job
