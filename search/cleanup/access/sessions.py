"""Sessions of accounts at their PDS: the tokens are encrypted in PdsSession, and only this module reads them.

All functions are synchronous and use the database; call none of them in a coroutine.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import structlog
from django.db import transaction
from django.utils import timezone

from atsite.core.config import config
from atsite.core.errors import AtsiteError
from atsite.core.outgoing import Client
from atsite.core.pds import Pds, PdsError, Session
from atsite.core.routers import DEFAULT
from atsite.core.sealed import CannotDecrypt, Sealer
from search.cleanup.models import PdsSession, RepoCleanupJob

log = structlog.get_logger(__name__)

#: How long a refresh token of a PDS lives; only jobs that write refresh theirs.
TOKEN_LIFE: Final = timedelta(days=90)
#: How long a sign-out may take; a person may be waiting for the answer.
SIGN_OUT_SECONDS: Final = 5.0
_FIELDS: Final = frozenset(field.name for field in fields(Session))


class SessionGone(AtsiteError):
    """The session was deleted meanwhile: its owner cancelled, or signed in again."""


@lru_cache(maxsize=4)
def _sealer(keys: tuple[str, ...]) -> Sealer:
    return Sealer(keys)


def sealer() -> Sealer:
    """The Sealer of this site; false where it has no keys."""
    return _sealer(config.cleanup.keys)


def store(session: Session, pds: str, *, expires_at: datetime, job: RepoCleanupJob | None = None) -> PdsSession:
    """Keep a session, encrypted; `pds`: the address of its server. Raises DatabaseError."""
    row: PdsSession = PdsSession.objects.create(
        did=session.did, pds=pds, sealed=_sealed(session), expires_at=expires_at, job=job
    )
    return row


def open_session(row: PdsSession) -> Session:
    """The session in a row. Raises CannotDecrypt, also for a row whose content is another account's."""
    try:
        content = json.loads(sealer().open(bytes(row.sealed)))
        session = Session(**{name: value for name, value in content.items() if name in _FIELDS})
    except (ValueError, TypeError, AttributeError) as error:
        raise CannotDecrypt("the content is not a session") from error
    if session.did != row.did:
        raise CannotDecrypt("the content is a session of another account")
    return session


def keep_rotated(row: PdsSession, session: Session, *, now: datetime) -> None:
    """Store new tokens, before they are used, in one UPDATE; they live as long as new ones do. Raises DatabaseError.

    Raises SessionGone if the row was deleted meanwhile; the new tokens are then signed out, too.
    """
    row.sealed, row.refreshed_at, row.expires_at = _sealed(session), now, now + TOKEN_LIFE
    changed = {"sealed": row.sealed, "refreshed_at": now, "expires_at": row.expires_at}
    if not PdsSession.objects.filter(pk=row.pk).update(**changed):
        _sign_out_after_commit(session, row.pds)
        raise SessionGone("the session was ended meanwhile")


def give_to_job(row: PdsSession, job: RepoCleanupJob, *, expires_at: datetime) -> None:
    """Make it the session of a job; an earlier session of the job is forgotten. Raises DatabaseError, SessionGone."""
    with transaction.atomic(using=DEFAULT):
        for earlier in PdsSession.objects.filter(job=job).exclude(pk=row.pk):
            forget(earlier)
        if not PdsSession.objects.filter(pk=row.pk).update(job=job, expires_at=expires_at):
            raise SessionGone("the session was ended meanwhile")
    row.job, row.expires_at = job, expires_at


def keep_until(job: RepoCleanupJob, expires_at: datetime) -> bool:
    """Let the session of a job expire later or earlier; whether it has one that has not expired."""
    rows = PdsSession.objects.filter(job=job, expires_at__gt=timezone.now())
    return bool(rows.update(expires_at=expires_at))


def has_session(job: RepoCleanupJob) -> bool:
    """Whether a job has a session that has not expired. Raises DatabaseError."""
    return PdsSession.objects.filter(job=job, expires_at__gt=timezone.now()).exists()


def forget(row: PdsSession) -> None:
    """Delete the row for good, then sign out at the PDS as well as it can. Raises DatabaseError only.

    In a transaction, the sign-out follows its commit.
    """
    if not PdsSession.objects.filter(pk=row.pk).delete()[0]:
        return
    try:
        session = open_session(row)
    except CannotDecrypt:
        log.warning("cleanup.session_unreadable")
    else:
        _sign_out_after_commit(session, row.pds)


def forget_of_job(job: RepoCleanupJob) -> None:
    """Forget the session of a job, if it has one. Raises DatabaseError only."""
    for row in PdsSession.objects.filter(job=job):
        forget(row)


def forget_expired(*, now: datetime) -> int:
    """Forget the sessions that have expired; returns how many. Raises DatabaseError only."""
    rows = list(PdsSession.objects.filter(expires_at__lte=now))
    for row in rows:
        forget(row)
    return len(rows)


def seal_again() -> int:
    """Encrypt with the newest key what an older one encrypted; returns how many. Raises DatabaseError only."""
    newest, done = sealer().newest(), 0
    for row in PdsSession.objects.iterator():
        sealed = bytes(row.sealed)
        try:
            newest.open(sealed)
            continue
        except CannotDecrypt:
            pass
        try:
            content = sealer().open(sealed)
        except CannotDecrypt:
            log.warning("cleanup.session_unreadable")
            continue
        # Only if it is still the same: a worker may have rotated its tokens.
        done += PdsSession.objects.filter(pk=row.pk, sealed=sealed).update(sealed=newest.seal(content))
    return done


def sign_out(session: Session, pds: str) -> None:
    """End a session at its PDS. Never raises: a PDS that does not answer ends it by itself, after 90 days at most."""

    async def ask() -> None:
        async with asyncio.timeout(SIGN_OUT_SECONDS), Client(loopback=config.allow_loopback) as client:
            await Pds(client, pds).delete_session(session)

    try:
        asyncio.run(ask())
    except (PdsError, TimeoutError) as error:
        log.info("cleanup.not_signed_out", error=error.name if isinstance(error, PdsError) else "Timeout")
    except Exception as error:
        log.warning("cleanup.not_signed_out", error=type(error).__name__)


def _sign_out_after_commit(session: Session, pds: str) -> None:
    transaction.on_commit(lambda: sign_out(session, pds), using=DEFAULT, robust=True)


def _sealed(session: Session) -> bytes:
    return sealer().seal(json.dumps(asdict(session)).encode())
