"""The session of a job while it writes: refreshed before each run and every few minutes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from atsite.core.pds import PdsError
from atsite.core.sealed import CannotDecrypt
from search.cleanup.access import sessions
from search.cleanup.engine.problems import NotNow, SignInNeeded
from search.cleanup.models import PdsSession

if TYPE_CHECKING:
    from datetime import datetime

    from atsite.core.pds import Session
    from search.cleanup.engine.remote_repo import RemoteRepo
    from search.cleanup.models import RepoCleanupJob

#: An access token works for hours after its app password was revoked; a refresh does not.
REFRESH_EVERY: Final = timedelta(minutes=5)
_SIGN_IN: Final = "Sign in again to let it go on."
#: Why a PDS refuses the tokens of an account, in words.
_REFUSALS: Final = {
    "AccountTakedown": f"Your server has taken the account down. {_SIGN_IN}",
    "AccountDeactivated": "The account is deactivated. Activate it and sign in again to let it go on.",
    "ExpiredToken": f"The app password was revoked, or the sign-in has expired. {_SIGN_IN}",
}


class TokensInUse:
    """The tokens of one job for one run. Methods raise SignInNeeded and NotNow."""

    def __init__(self, job: RepoCleanupJob, remote: RemoteRepo) -> None:
        self._job = job
        self._remote = remote
        self._row: PdsSession | None = None
        self._session: Session | None = None

    def current(self, now: datetime) -> Session:
        """Tokens that were refreshed in this run and within REFRESH_EVERY."""
        if self._session is None or self._row is None or now - self._row.refreshed_at >= REFRESH_EVERY:
            self._session = self._refreshed(now)
        return self._session

    def forget_access(self) -> None:
        """The PDS refused the access token: refresh before the next use."""
        self._session = None

    def _refreshed(self, now: datetime) -> Session:
        row = self._stored()
        if row.pds != self._remote.endpoint:
            raise SignInNeeded(f"Your account has moved to another server. {_SIGN_IN}")
        try:
            old = sessions.open_session(row)
        except CannotDecrypt as error:
            raise SignInNeeded(f"The stored sign-in cannot be read any more. {_SIGN_IN}") from error
        try:
            new = self._remote.call(lambda pds: pds.refresh_session(old))
        except PdsError as error:
            raise refusal(error) or NotNow(f"Your server does not answer: {error}", error.wait or 60.0) from error
        try:
            sessions.keep_rotated(row, new, now=now)
        except sessions.SessionGone as error:
            raise SignInNeeded(_SIGN_IN) from error
        return new

    def _stored(self) -> PdsSession:
        self._row = PdsSession.objects.filter(job=self._job).first()
        if self._row is None:
            raise SignInNeeded(_SIGN_IN)
        return self._row


def refusal(error: PdsError) -> SignInNeeded | None:
    """What the refusal of a token means for its owner; None if it is not about the token."""
    if error.name in _REFUSALS:
        return SignInNeeded(_REFUSALS[error.name])
    if error.status == 401 or error.name in ("InvalidToken", "AccountNotFound"):
        return SignInNeeded(f"Your server does not accept the sign-in any more ({error.name}). {_SIGN_IN}")
    return None
