"""Who has signed in on the page: in a session of half an hour, a did, and the PDS session that waits to be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from search.cleanup.access import sessions
from search.cleanup.models import PdsSession, RepoCleanupJob
from search.cleanup.states import GRAPH

if TYPE_CHECKING:
    from typing import Any

    from django.contrib.sessions.backends.base import SessionBase

    from search.cleanup.access.sign_in import SignedIn

KEY: Final = "cleanup"
MINUTES: Final = 30


@dataclass(frozen=True, slots=True)
class Person:
    """An owner of an account, who proved it at their PDS."""

    did: str
    handle: str
    session: int

    @property
    def name(self) -> str:
        """What they type to confirm: the handle, or the did of an account without a valid one."""
        return self.handle or self.did

    def unused_session(self) -> PdsSession | None:
        """The PDS session of the sign-in, if no clean-up has it and it has not expired."""
        rows = PdsSession.objects.filter(pk=self.session, did=self.did, job=None, expires_at__gt=timezone.now())
        return rows.first()

    def job(self, job_id: str) -> RepoCleanupJob | None:
        """A clean-up of their account."""
        return _first(did=self.did, job_id=job_id)

    def active_job(self) -> RepoCleanupJob | None:
        """The clean-up of their account that has not ended."""
        return _first(did=self.did, state__in=GRAPH.active)

    def latest_job(self) -> RepoCleanupJob | None:
        """The newest clean-up of their account."""
        return _first(did=self.did)


def _first(**chosen: Any) -> RepoCleanupJob | None:
    """The newest of the clean-ups."""
    job: RepoCleanupJob | None = RepoCleanupJob.objects.filter(**chosen).order_by("-job_id").first()
    return job


def of(session: SessionBase) -> Person | None:
    """Who has signed in, from the session of the page."""
    return read(session.get(KEY))


def read(stored: Any) -> Person | None:
    """From what `sign_in` stored."""
    return Person(**stored) if isinstance(stored, dict) else None


def sign_in(session: SessionBase, found: SignedIn, row: PdsSession) -> None:
    """Remember the person in a new session."""
    session.flush()
    session[KEY] = {"did": found.session.did, "handle": found.handle, "session": row.pk}
    session.set_expiry(MINUTES * 60)


def sign_out(session: SessionBase) -> None:
    """Forget the person, and the PDS session that was not used."""
    person = of(session)
    row = person.unused_session() if person is not None else None
    if row is not None:
        sessions.forget(row)
    session.flush()
