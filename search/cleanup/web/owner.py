"""What the API and the page both do for an owner: find the job, sign in and act."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from atsite.core.atproto.tid import is_tid
from search.cleanup.access import sessions, sign_in, tokens
from search.cleanup.models import RepoCleanupJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.cleanup.access.sign_in import SignedIn
    from search.cleanup.models import PdsSession

#: How long a session of a person who signed in waits to be used.
UNUSED: Final = timedelta(minutes=30)


def job_of_token(job_id: str, token: str) -> RepoCleanupJob | None:
    """The job, if the token is its own; None also for an id that does not exist."""
    job = RepoCleanupJob.objects.filter(job_id=job_id).first() if is_tid(job_id) else None
    return job if tokens.opens(token, job) else None


def signed_in(identifier: str, app_password: str, *, address: str) -> tuple[SignedIn, PdsSession]:
    """Sign in and keep the session until it is used. Raises SignInRefused, DatabaseError."""
    found = sign_in.sign_in(identifier, app_password, address=address)
    return found, sessions.store(found.session, found.pds, expires_at=timezone.now() + UNUSED)


@contextmanager
def signed_in_for(identifier: str, app_password: str, *, address: str) -> Iterator[tuple[SignedIn, PdsSession]]:
    """As `signed_in`; the session is ended if the block raises."""
    found, row = signed_in(identifier, app_password, address=address)
    try:
        yield found, row
    except BaseException:
        sessions.forget(row)
        raise
